"""Everything that reads or edits a LiteRT flatbuffer."""
