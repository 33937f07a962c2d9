package cli

import (
	"io"
	"os"

	"golang.org/x/term"
)

// usualWidth is how wide is printed where nobody says how wide a terminal is.
const usualWidth = 100

// widthOf is how many characters a line of w takes.
func widthOf(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return usualWidth
}
