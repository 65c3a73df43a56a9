"""The command `varve`: what a person calls while a schema is written. The plugin needs none of it."""

VERSION = "0.1.0"
