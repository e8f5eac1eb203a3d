"""Keys of the installation: opened and used here; other rooms get operations, never key objects."""
