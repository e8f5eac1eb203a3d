"""The conformance kit for connector vendors: `connector check` and `connector new`.

A connector runs in a lane, as it will in production, against a target of the kit that misbehaves on command. What has
arrived is counted at the target and never believed from the connector.
"""
