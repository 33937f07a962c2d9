package emulator

import (
	"encoding/json"
	"fmt"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/soql"
)

// Query runs SOQL and gives the rows as encoding/json would read them. A
// SELECT COUNT() gives no rows; use Count.
func (o *Org) Query(soql string) ([]map[string]any, error) {
	defer o.rlock()()
	plan, err := planOf(o, soql)
	if err != nil {
		return nil, err
	}
	rows := plan.Run()
	out := make([]map[string]any, 0, len(rows))
	for _, r := range rows {
		row, err := decodeRow(plan.Shape().Append(nil, o.org.Data, r, "63.0"))
		if err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	return out, nil
}

// Count runs SOQL and says how many rows it has.
func (o *Org) Count(soql string) (int, error) {
	defer o.rlock()()
	plan, err := planOf(o, soql)
	if err != nil {
		return 0, err
	}
	return len(plan.Run()), nil
}

func planOf(o *Org, text string) (*soql.Plan, error) {
	q, err := soql.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("emulator: query: %w", err)
	}
	plan, failure := soql.Compile(o.org.Data, q, true)
	if failure != nil {
		return nil, fmt.Errorf("emulator: query: %w", failure)
	}
	return plan, nil
}

func decodeRow(b []byte) (map[string]any, error) {
	var row map[string]any
	if err := json.Unmarshal(b, &row); err != nil {
		return nil, fmt.Errorf("emulator: query row: %w", err)
	}
	return row, nil
}
