//! Why a request was judged as it was, in sentences.
