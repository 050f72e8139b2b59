package lead

import (
	"ottla/internal/share"
	"ottla/internal/wire"
)

// Lease is Give for those who answer by receipts (share.Receipt, with g.Epoch)
// and are no members: w.Member says nothing, w.LockMs is how long the records
// are held. When records were given, done is called once, when that is stored:
// nobody may see them before, and none are held when it gets an error. When
// none were given it is not called. Released are they by Redeem, or when their
// time is over; neither a restart nor another leader ends a lease.
func (p *Part) Lease(w *Want, g *Given, done func(error)) error {
	mine := *w
	mine.Member, mine.leased = "", true
	p.mu.Lock()
	defer p.unlock()
	err := p.tryGive(&mine, g)
	if g.Records > 0 {
		p.asked = append(p.asked, done)
	}
	return err
}

// Redeem carries out what is said by receipts, each by itself. done is called
// once, perhaps before Redeem returns, with an error for each word, nil where
// it is durable. INVALID_RECORD_STATE is of a receipt that is not good (any
// more), INVALID_REQUEST of a word that cannot be; after another error nobody
// knows whether it counts.
func (p *Part) Redeem(words []share.Word, done func(errs []error)) {
	errs := make([]error, len(words))
	good := 0
	p.mu.Lock()
	ok, err := p.serve()
	if ok {
		now := p.nowMs()
		p.catchUp(now)
		for i := range words {
			if errs[i] = p.redeem(now, &words[i]); errs[i] == nil {
				good++
			}
		}
		p.bury()
	} else {
		if err == nil {
			err = wire.CoordinatorLoadInProgress // by the next try it is loaded
		}
		for i := range errs {
			errs[i] = err
		}
	}
	if good > 0 {
		p.wake = true
		p.asked = append(p.asked, func(err error) {
			for i := range errs {
				if errs[i] == nil {
					errs[i] = err
				}
			}
			done(errs)
		})
	}
	p.unlock()
	if good == 0 {
		done(errs)
	}
}

func (p *Part) redeem(nowMs int64, w *share.Word) error {
	if w.Epoch != p.state {
		return wire.Errorf(wire.InvalidRecordState, "the receipt of offset %d is of epoch %d of the state, which is at %d: offsets were reset since",
			w.Offset, w.Epoch, p.state)
	}
	return p.core.Redeem(nowMs, w)
}
