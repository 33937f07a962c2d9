// Command rollcall runs and operates Rollcall: everything in one process, an
// emulated Salesforce org, publishing, and what an operator does.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/rollcall-sync/rollcall/services/rollcall/cli"

	// Where the system brings none (an image FROM scratch), certificate roots and
	// time zones are the binary's own.
	_ "time/tzdata"

	_ "golang.org/x/crypto/x509roots/fallback"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Execute(ctx, os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
	stop()
	os.Exit(code)
}
