"""How the models that come with filar were made."""
