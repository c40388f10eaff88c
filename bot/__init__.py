"""How people reach 小帮."""
