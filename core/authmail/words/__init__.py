"""Words for people, in their language: texts that know what they are made of, catalogs of translations, language tags."""
