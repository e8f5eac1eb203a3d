"""Local stand-ins of the partners: faithful by default, troublesome on command."""
