"""What 小帮 can do: thin Rasa actions, a module a theme, over the mutual-aid core in `timebank`."""
