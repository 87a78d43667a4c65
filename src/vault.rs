//! Keys, sealing, masking: the only code that sees a secret in plain.
