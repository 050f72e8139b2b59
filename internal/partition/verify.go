package partition

import (
	"ottla/internal/record"
	"ottla/internal/wire"
)

// errUnverified is the answer to a transactional batch that nobody can vouch
// for.
var errUnverified = &wire.Error{
	Code: wire.InvalidTxnState,
	Message: "the transaction cannot be verified: this release has no transaction coordinator yet; " +
		"produce without a transactional id",
}

// verify guards a partition against batches of transactions that it is not
// part of (KIP-890 part 1): such a batch would come after the end marker and
// hold the last stable offset back for ever. Who can vouch for a transaction
// is its coordinator; none is there yet, so only our own writes pass.
func (p *Partition) verify(h *record.Header, a *AppendArgs) error {
	switch {
	case a.Internal || !h.Transactional():
		return nil
	case !a.Transactional:
		return wire.TransactionalIDAuthorizationFailed
	}
	return errUnverified
}
