-- Contents of a bulk lie in pack files, written once: data is NULL and these say where. Both are NULL for a content
-- in the row itself, and for one with an object file of its own.
ALTER TABLE contents ADD COLUMN pack INTEGER;
ALTER TABLE contents ADD COLUMN pack_offset INTEGER;
