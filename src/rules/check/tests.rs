//! Tests of the check of documents.
