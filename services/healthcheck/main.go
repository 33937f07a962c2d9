// Command healthcheck asks URL whether the program there does its work: exit
// code 0, or 1 and why not. It is in the images of programs that are not ours
// and cannot ask themselves.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/rollcall-sync/rollcall/services/internal/health"
)

func main() {
	err := fmt.Errorf("usage: %s URL", os.Args[0])
	if len(os.Args) == 2 {
		err = health.Ask(context.Background(), os.Args[1])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
