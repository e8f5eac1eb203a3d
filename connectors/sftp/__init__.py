"""Connector `sftp`: uploads into a private folder of the target's SFTP server, then renames into its drop at once."""
