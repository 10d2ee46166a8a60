"""Updates over the air: networks of the field, what happens to them, and the bytes."""
