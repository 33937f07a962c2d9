package salesforce

import (
	"context"
	"net/url"
	"strings"
)

const (
	// maxURI bounds a query's URI. Salesforce allows 16,384 bytes for URI and
	// headers together [D]; a token may take 2 KiB and a proxy adds its own.
	maxURI = 16_384 - 4_096
	// maxInValues is the default number of values in one query: about 600 ids
	// fit into a URI, and fewer make a plan that stays selective.
	maxInValues = 600
)

// InQuery asks for the rows in which any of several fields has one of many
// values. It is cut into as many queries as the limits need.
type InQuery struct {
	// Fields are selected; Id is added.
	Fields []string
	From   string
	// Any are the alternatives, OR-ed.
	Any []InTerm
	// Where is AND-ed to each query; a condition of the caller's own making,
	// with values passed through Quote.
	Where string
	// Children are sub-queries that are selected besides, of the caller's own making:
	// "(SELECT Id FROM PermissionSetAssignments)".
	Children []string
	// MaxValues bounds the values of one query; 600 when zero.
	MaxValues int
}

// InTerm is "Field IN (Values)".
type InTerm struct {
	Field  string
	Values []string
}

// QueryIn runs an InQuery and returns each row once, by Id. Several queries
// travel five to an API call. Without values it asks nothing.
func (c *Client) QueryIn(ctx context.Context, q InQuery) ([]Record, error) {
	soqls, err := q.queries()
	if err != nil || len(soqls) == 0 {
		return nil, err
	}
	seen := map[string]bool{}
	var all []Record
	for len(soqls) > 0 {
		n := min(len(soqls), MaxCompositeQueries)
		records, err := c.queryTogether(ctx, soqls[:n])
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			if id := r.ID(); !seen[id] {
				seen[id] = true
				all = append(all, r)
			}
		}
		if len(all) > c.cfg.MaxRecords {
			return nil, programming("the query has more than %d records; narrow it", c.cfg.MaxRecords)
		}
		soqls = soqls[n:]
	}
	return all, nil
}

// queryTogether spends one API call on up to five queries.
func (c *Client) queryTogether(ctx context.Context, soqls []string) ([]Record, error) {
	if len(soqls) == 1 {
		return c.Query(ctx, soqls[0])
	}
	lists, errs, err := c.CompositeQueries(ctx, soqls)
	if err != nil {
		return nil, err
	}
	if err := firstError(errs); err != nil {
		return nil, err
	}
	var all []Record
	for _, list := range lists {
		all = append(all, list...)
	}
	return all, nil
}

// queries cuts the values into queries that keep both limits.
func (q InQuery) queries() ([]string, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	limit := q.MaxValues
	if limit == 0 {
		limit = maxInValues
	}
	var soqls []string
	var chunk []InTerm
	count, size := 0, q.baseSize()
	flush := func() {
		if count > 0 {
			soqls = append(soqls, q.soql(chunk))
		}
		chunk, count, size = nil, 0, q.baseSize()
	}
	for _, term := range q.Any {
		for _, value := range distinct(term.Values) {
			cost := len(url.QueryEscape(Quote(value) + ","))
			if term.opens(chunk) {
				cost += termSize(term.Field)
			}
			if count > 0 && (count >= limit || size+cost > maxURI) {
				flush()
				cost = len(url.QueryEscape(Quote(value)+",")) + termSize(term.Field)
			}
			if size+cost > maxURI {
				return nil, programming("a value of %s is too long for a query", term.Field)
			}
			chunk = term.add(chunk, value)
			count, size = count+1, size+cost
		}
	}
	flush()
	return soqls, nil
}

func (q InQuery) check() error {
	names := append([]string{q.From}, q.Fields...)
	for _, term := range q.Any {
		names = append(names, term.Field)
	}
	for _, name := range names {
		if !nameLike.MatchString(name) {
			return programming("InQuery holds something that is not the name of a field or object")
		}
	}
	if q.MaxValues < 0 {
		return programming("InQuery.MaxValues is negative")
	}
	return nil
}

// baseSize is the size of everything but the values, as the URI carries it.
func (q InQuery) baseSize() int {
	return len("/services/data/v999.0/query?q=") + len(url.QueryEscape(q.soql(nil)))
}

// termSize is what another field in the same query costs: " OR field IN ()".
func termSize(field string) int { return len(url.QueryEscape(" OR " + field + " IN ()")) }

// soql writes the query for some of the values.
func (q InQuery) soql(terms []InTerm) string {
	conditions := make([]string, len(terms))
	for i, term := range terms {
		conditions[i] = In(term.Field, term.Values)
	}
	where := "(" + strings.Join(conditions, " OR ") + ")"
	if q.Where != "" {
		where += " AND (" + q.Where + ")"
	}
	return "SELECT " + strings.Join(q.selected(), ",") + " FROM " + q.From + " WHERE " + where
}

func (q InQuery) selected() []string {
	fields := []string{"Id"}
	for _, f := range q.Fields {
		if !strings.EqualFold(f, "Id") {
			fields = append(fields, f)
		}
	}
	return append(fields, q.Children...)
}

// opens says whether the term needs a condition of its own in the chunk.
func (t InTerm) opens(chunk []InTerm) bool {
	return len(chunk) == 0 || chunk[len(chunk)-1].Field != t.Field
}

// add puts a value into the chunk's condition for the field.
func (t InTerm) add(chunk []InTerm, value string) []InTerm {
	if t.opens(chunk) {
		chunk = append(chunk, InTerm{Field: t.Field})
	}
	last := &chunk[len(chunk)-1]
	last.Values = append(last.Values, value)
	return chunk
}

func distinct(values []string) []string {
	seen := make(map[string]bool, len(values))
	var out []string
	for _, v := range values {
		if !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	return out
}
