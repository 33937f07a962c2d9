package app

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/rollcall-sync/rollcall/services/internal/config"
)

const (
	// lookEvery is how often the configuration file is read. It is read rather
	// than watched: a file mounted by itself, a network's, and one that is a link
	// to a link (Kubernetes) change without a word to whoever watches. What was
	// read twice alike is whole: half a file is a mapping too, with fewer rules.
	lookEvery = time.Second
	// tryAgain is after how many looks a configuration is tried again that has no
	// faults and could not be used.
	tryAgain = 30
)

// Watcher takes over changes of a configuration file.
type Watcher struct {
	// Path is the file, Load reads it.
	Path string
	Load func() (config.File, error)
	// Hangup asks for a look at once, at a file that is whole.
	Hangup <-chan os.Signal
	Log    *slog.Logger
	// Every is how often the file is looked at. Default 1s.
	Every time.Duration
	// each reads the file, but in tests.
	each func() []byte

	mu sync.Mutex
	// current is in use, said is what of the newest file needs a restart.
	current config.File
	said    string
	fault   string
}

// NewWatcher watches the file that current was read from.
func NewWatcher(path string, current config.File, load func() (config.File, error), hangup <-chan os.Signal, log *slog.Logger) *Watcher {
	return &Watcher{Path: path, Load: load, Hangup: hangup, Log: log, Every: lookEvery, current: current}
}

// Remark says why a changed file is not in use; empty where there is none.
func (w *Watcher) Remark() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	if w.fault != "" {
		out = append(out, "the changed configuration is refused, the one before stays in force: "+w.fault)
	}
	if w.said != "" {
		out = append(out, "changed settings that need a restart: "+w.said)
	}
	return strings.Join(out, "\n")
}

// Run calls use with every changed configuration that has no fault, until ctx
// ends. An error of use refuses it. refused is told whether the file is refused.
func (w *Watcher) Run(ctx context.Context, use func(context.Context, config.File) error, refused func(bool)) {
	read := w.read
	if w.each != nil {
		read = w.each
	}
	var pending, taken []byte
	tick := time.NewTicker(w.Every)
	defer tick.Stop()
	tries := 0
	for {
		now := false
		select {
		case <-ctx.Done():
			return
		case <-w.Hangup:
			w.Log.InfoContext(ctx, "asked to read the configuration again")
			now = true
		case <-tick.C:
		}
		data := read()
		whole := bytes.Equal(data, pending)
		pending = data
		if tries--; !now && (!whole || bytes.Equal(data, taken) && tries != 0) {
			continue
		}
		taken = data
		tries = 0
		if again := w.take(ctx, use, now); again {
			tries = tryAgain
		}
		refused(w.faulty())
	}
}

// read is the file as it is; of one that cannot be read, the reason.
func (w *Watcher) read() []byte {
	data, err := os.ReadFile(w.Path)
	if err != nil {
		return []byte(err.Error())
	}
	return data
}

func (w *Watcher) faulty() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.fault != ""
}

// take takes the file over. again says that it may be usable later as it is.
func (w *Watcher) take(ctx context.Context, use func(context.Context, config.File) error, asked bool) (again bool) {
	file, err := w.Load()
	if err != nil {
		w.refuse(ctx, err)
		return false
	}
	next, restart := split(w.current, file)
	w.needsRestart(ctx, strings.Join(restart, ", "))
	if reflect.DeepEqual(next, w.current) {
		if w.accept(next) || asked {
			w.Log.InfoContext(ctx, "configuration is what is in use already")
		}
		return false
	}
	if err := use(ctx, next); err != nil {
		w.refuse(ctx, err)
		return ctx.Err() == nil
	}
	w.accept(next)
	w.Log.InfoContext(ctx, "changed configuration is in use", "hash", next.Hash())
	return false
}

// accept notes what is in use, and says whether something was refused before.
func (w *Watcher) accept(f config.File) (was bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	was = w.fault != ""
	w.current, w.fault = f, ""
	return was
}

// refuse notes what is wrong, and logs it once.
func (w *Watcher) refuse(ctx context.Context, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fault == err.Error() || ctx.Err() != nil {
		return
	}
	w.fault = err.Error()
	w.Log.ErrorContext(ctx, "changed configuration is refused, the one before stays in use", "error", err)
}

func (w *Watcher) needsRestart(ctx context.Context, keys string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.said == keys {
		return
	}
	if w.said = keys; keys != "" {
		w.Log.WarnContext(ctx, "changed settings need a restart, and are as before until then", "settings", keys)
	}
}

// split takes from a new configuration what can be taken over while a program
// runs, and names what cannot.
func split(now, next config.File) (config.File, []string) {
	var restart []string
	for _, part := range []struct {
		name      string
		now, next any
	}{
		{"deployment", &now.Deployment, &next.Deployment}, {"nats", &now.NATS, &next.NATS}, {"serve", &now.Serve, &next.Serve},
		{"log", &now.Log, &next.Log}, {"tokens", &now.Tokens, &next.Tokens}, {"callback", &now.Callback, &next.Callback},
	} {
		a, b := reflect.ValueOf(part.now).Elem(), reflect.ValueOf(part.next).Elem()
		for i := range a.NumField() {
			if !reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()) {
				restart = append(restart, fmt.Sprintf("%s.%s", part.name, a.Type().Field(i).Tag.Get("koanf")))
			}
		}
		b.Set(a)
	}
	return next, restart
}
