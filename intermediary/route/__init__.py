"""The routing table and the plug-ins it names."""
