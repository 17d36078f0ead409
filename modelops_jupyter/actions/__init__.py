"""What a workspace does: a module for each group of its verbs, as functions of the store, the log and the registry."""
