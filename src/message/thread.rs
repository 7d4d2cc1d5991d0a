//! Message-ID, In-Reply-To and References (RFC 5322 section 3.6.4).
