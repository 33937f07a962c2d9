package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// all runs so many seeds, some at once, and says how many went wrong.
func (o options) all(ctx context.Context, bin string, out io.Writer) error {
	if o.seeds == 1 {
		return o.one(ctx, bin, o.seed, out)
	}
	o.quiet = true
	began := time.Now()
	var (
		mu     sync.Mutex
		wrong  []error
		group  sync.WaitGroup
		turn   = make(chan struct{}, max(o.jobs, 1))
		passed int
	)
	for i := range o.seeds {
		turn <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		group.Go(func() {
			defer func() { <-turn }()
			var said bytes.Buffer
			err := o.one(ctx, bin, o.seed+uint64(i), &said) //nolint:gosec // a count from 0
			mu.Lock()
			defer mu.Unlock()
			_, _ = said.WriteTo(out)
			if err != nil {
				fmt.Fprintf(out, "seed %d: WRONG: %v\n", o.seed+uint64(i), err) //nolint:gosec // a count from 0
				wrong = append(wrong, err)
				return
			}
			passed++
		})
	}
	group.Wait()
	fmt.Fprintf(out, "%d seeds, %d wrong, in %s\n", passed+len(wrong), len(wrong), time.Since(began).Round(time.Second))
	return errors.Join(append(wrong, ctx.Err())...)
}
