"""The REST face: routes over `Workspace` in Jupyter's own server, behind its authentication and authorisation."""
