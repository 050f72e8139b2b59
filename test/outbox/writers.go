package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"ottla/test/realfault"
)

const writers = 6

// crowd is the writers that write.
type crowd struct {
	cancel context.CancelFunc
	all    sync.WaitGroup
	mu     sync.Mutex // guards err
	err    error
}

func startWriters(ctx context.Context, d database) *crowd {
	ctx, cancel := context.WithCancel(ctx)
	c := &crowd{cancel: cancel}
	for i := range writers {
		c.all.Go(func() {
			db, err := d.connect()
			if err == nil {
				err = errors.Join(write(ctx, d, db, i), db.Close())
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			c.err = errors.Join(c.err, err)
		})
	}
	return c
}

func (c *crowd) stop() error {
	c.cancel()
	c.all.Wait()
	return c.err
}

// write writes until the context ends. What became of a transaction whose server died is
// told by the table of changes in the end.
func write(ctx context.Context, d database, db *sql.DB, writer int) error {
	rng := rand.New(rand.NewPCG(*seed, uint64(writer)+1))
	failed := 0
	for n := 0; ctx.Err() == nil; n++ {
		err := change(ctx, d, db, rng, writer, n)
		switch {
		case err == nil:
			failed = 0
		case ctx.Err() == nil && (!d.mortal() || failed > 1000):
			return fmt.Errorf("writer %d, change %d: %w", writer, n, err)
		default:
			failed++
		}
		_ = realfault.Pause(ctx, time.Duration(rng.Int64N(int64(20*time.Millisecond)))) // the loop looks at the context
	}
	return nil
}

// change is one transaction: its id is taken early, and it commits late.
func change(ctx context.Context, d database, db *sql.DB, rng *rand.Rand, writer, n int) error {
	tx, err := db.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return err
	}
	_, err = tx.Exec("INSERT INTO outbox (aggregatetype, aggregateid, type, payload) VALUES ('thing', "+d.place(1)+", 'Changed', "+d.place(2)+")", fmt.Sprint(writer), fmt.Sprintf("%d-%d", writer, n))
	if err == nil && d.mortal() { // in SQLite nobody else could write
		_ = realfault.Pause(ctx, time.Duration(rng.Int64N(int64(time.Millisecond)<<rng.IntN(8))))
	}
	if err == nil {
		_, err = tx.Exec("INSERT INTO changes VALUES ("+d.place(1)+", "+d.place(2)+")", writer, n)
	}
	if err != nil || rng.IntN(8) == 0 {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}
