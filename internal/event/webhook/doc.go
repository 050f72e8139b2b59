// Package webhook signs calls, and checks signatures, as Standard Webhooks say. It is
// pure.
//
// It is not for sending (event/delivery), nor for where secrets are kept.
//
// Main types: Key, Signed.
//
// Files in reading order: key.go (secrets and their texts), sign.go.
//
// # Rules
//
//   - What is signed is ID.TIMESTAMP.BODY; the timestamp is in seconds since 1970.
//   - v1 is HMAC-SHA256 under a secret of 24 to 64 bytes, written whsec_BASE64. v1a is
//     ed25519 under a key written whsk_BASE64, which whpk_BASE64 verifies.
//   - A call has one signature for each key, the newest first, with a space between:
//     who receives it takes any that he knows, so keys can be changed without a pause.
//   - A call is not taken whose time is five minutes or more away.
//
// Source: the Standard Webhooks specification.
package webhook
