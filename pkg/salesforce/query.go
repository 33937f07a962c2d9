package salesforce

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// maxPages bounds a query whose pages never end; at the smallest page size of
// 200 that is far above what an org holds.
const maxPages = 100_000

// queryPage is one answer to a query. The pointers tell missing from zero: a
// body that is not a query's answer must not pass for an empty one.
type queryPage struct {
	TotalSize      *int     `json:"totalSize"`
	Done           *bool    `json:"done"`
	NextRecordsURL string   `json:"nextRecordsUrl"`
	Records        []Record `json:"records"`
}

// check returns the Error of a page that cannot be trusted.
func (p queryPage) check() error {
	switch {
	case p.TotalSize == nil || p.Done == nil || p.Records == nil:
		return unreadable(http.StatusOK, false, "the answer is not that of a query")
	case !*p.Done && !strings.HasPrefix(p.NextRecordsURL, "/services/data/"):
		return unreadable(http.StatusOK, false, "there are more records, but no path to them")
	}
	return nil
}

// Query returns the records of all pages. It fails when there are more than
// Config.MaxRecords; QueryEach has no such bound.
func (c *Client) Query(ctx context.Context, soql string) ([]Record, error) {
	var all []Record
	err := c.QueryEach(ctx, soql, c.collect(&all))
	if err != nil {
		return nil, err
	}
	return all, nil
}

// collect returns a page function that appends up to the configured bound.
func (c *Client) collect(all *[]Record) func([]Record) error {
	return func(page []Record) error {
		if len(*all)+len(page) > c.cfg.MaxRecords {
			return programming("the query has more than %d records; narrow it or use QueryEach", c.cfg.MaxRecords)
		}
		*all = append(*all, page...)
		return nil
	}
}

// QueryEach calls page with the records of each page (2,000 at most), and stops
// at the first error. A locator that expired meanwhile is a Timeout with
// KindCursor: the query must be run again.
func (c *Client) QueryEach(ctx context.Context, soql string, page func([]Record) error) error {
	first, err := c.queryPage(ctx, c.dataPath("query"), url.Values{"q": {soql}})
	if err != nil {
		return err
	}
	return c.eachPage(ctx, first, page)
}

// QueryCount returns how many rows a query has; meant for SELECT count().
func (c *Client) QueryCount(ctx context.Context, soql string) (int, error) {
	page, err := c.queryPage(ctx, c.dataPath("query"), url.Values{"q": {soql}})
	if err != nil {
		return 0, err
	}
	return *page.TotalSize, nil
}

func (c *Client) queryPage(ctx context.Context, path string, query url.Values) (queryPage, error) {
	var page queryPage
	if err := c.doJSON(ctx, call{method: http.MethodGet, path: path, query: query}, &page); err != nil {
		return page, err
	}
	return page, page.check()
}

// eachPage hands out a first page and follows its locators. Fewer records than
// announced is an error: a person missing from a list would be created again.
func (c *Client) eachPage(ctx context.Context, page queryPage, each func([]Record) error) error {
	got, total := 0, *page.TotalSize
	for n := 0; ; n++ {
		if err := each(page.Records); err != nil {
			return err
		}
		got += len(page.Records)
		if *page.Done {
			break
		}
		if n >= maxPages || len(page.Records) == 0 || got >= total {
			return unreadable(http.StatusOK, false, "the pages of the query do not end")
		}
		next, err := c.queryPage(ctx, page.NextRecordsURL, nil)
		if err != nil {
			return err
		}
		page = next
	}
	if got != total { // a count() has a total and no records [R]: QueryCount is for those
		return unreadable(http.StatusOK, false, "the query announced %d records and gave %d", total, got)
	}
	return nil
}

// CompositeQueries runs up to five queries in one API call. The records and
// the error at an index belong to the query at that index; the last error is
// that of the call as a whole, and then nothing else is set.
func (c *Client) CompositeQueries(ctx context.Context, soqls []string) ([][]Record, []error, error) {
	if len(soqls) == 0 {
		return nil, nil, nil
	}
	reqs := make([]SubRequest, len(soqls))
	for i, soql := range soqls {
		reqs[i] = SubRequest{Method: http.MethodGet, URL: "query?" + url.Values{"q": {soql}}.Encode()}
	}
	subs, err := c.Composite(ctx, reqs, false)
	if err != nil {
		return nil, nil, err
	}
	records, errs := make([][]Record, len(subs)), make([]error, len(subs))
	for i, sub := range subs {
		records[i], errs[i] = c.subQuery(ctx, sub)
	}
	return records, errs, nil
}

// subQuery reads one query's answer inside a composite and follows its pages.
func (c *Client) subQuery(ctx context.Context, sub SubResponse) ([]Record, error) {
	if sub.Err != nil {
		return nil, sub.Err
	}
	var page queryPage
	if err := decode(sub.Body, &page); err != nil {
		return nil, unreadable(sub.Status, false, "the answer is not that of a query")
	}
	if err := page.check(); err != nil {
		return nil, err
	}
	var all []Record
	if err := c.eachPage(ctx, page, c.collect(&all)); err != nil {
		return nil, err
	}
	return all, nil
}

// firstError joins the errors of queries that are only useful together.
func firstError(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return errors.Join()
}
