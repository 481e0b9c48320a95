package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A mutant is one change: a piece of a file and what stands there instead.
type mutant struct {
	file     string
	function string
	source   []byte
	from, to int
	put      string
	kind     string
	line     int
	// inFunction says that the change is in the body of a function.
	inFunction bool
}

func (m mutant) text() []byte {
	return []byte(string(m.source[:m.from]) + m.put + string(m.source[m.to:]))
}

// key names a change in a way that survives changes elsewhere in the file.
func (m mutant) key() string {
	start := strings.LastIndexByte(string(m.source[:m.from]), '\n') + 1
	end := m.from + strings.IndexByte(string(m.source[m.from:])+"\n", '\n')
	line := strings.TrimSpace(string(m.source[start:end]))
	return fmt.Sprintf("%s %s | %s | %s @%d", m.file, m.function, line, m.kind, m.from-start-strings.Index(string(m.source[start:end]), line))
}

func (m mutant) String() string { return fmt.Sprintf("%s:%d: %s", m.file, m.line, m.key()) }

// mutantsOf lists the changes to the files of a group, in their order.
func mutantsOf(g group) ([]mutant, error) {
	var all []mutant
	for _, pattern := range g.files {
		files, err := filepath.Glob(pattern)
		if err != nil {
			return nil, err
		}
		if len(files) == 0 {
			return nil, fmt.Errorf("no file fits %s: run it from the root of the repository", pattern)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") || skipped[filepath.Base(file)] {
				continue
			}
			found, err := mutantsIn(file)
			if err != nil {
				return nil, err
			}
			all = append(all, found...)
		}
	}
	return all, nil
}

// skipped are files of what we send, not of what we read: forms for the IdP, and
// encryption for tests.
var skipped = map[string]bool{"doc.go": true, "encrypt.go": true, "sign.go": true, "signer.go": true}

type finder struct {
	file     string
	source   []byte
	set      *token.FileSet
	function string
	body     *ast.BlockStmt // of the function, nil outside of one
	found    []mutant
}

func mutantsIn(file string) ([]mutant, error) {
	source, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	f := &finder{file: file, source: source, set: token.NewFileSet()}
	tree, err := parser.ParseFile(f.set, file, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	for _, d := range tree.Decls {
		f.function, f.body = "-", nil
		if fn, ok := d.(*ast.FuncDecl); ok {
			f.function, f.body = fn.Name.Name, fn.Body
		}
		if gen, ok := d.(*ast.GenDecl); ok && gen.Tok == token.IMPORT {
			continue
		}
		ast.Inspect(d, func(n ast.Node) bool { f.look(n); return true })
	}
	return f.found, nil
}

func (f *finder) offset(p token.Pos) int { return f.set.Position(p).Offset }

func (f *finder) add(from, to token.Pos, kind, put string) {
	f.found = append(f.found, mutant{file: f.file, function: f.function, source: f.source, from: f.offset(from), to: f.offset(to),
		put: put, kind: kind, line: f.set.Position(from).Line,
		inFunction: f.body != nil && from > f.body.Lbrace})
}

var otherOperator = map[token.Token]string{
	token.EQL: "!=", token.NEQ: "==", token.LSS: "<=", token.LEQ: "<", token.GTR: ">=", token.GEQ: ">", token.LAND: "||", token.LOR: "&&",
	token.ADD: "-", token.SUB: "+", token.MUL: "/", token.QUO: "*", token.AND: "|", token.OR: "&", token.SHL: ">>", token.SHR: "<<",
}

// look finds the changes at one node.
func (f *finder) look(n ast.Node) {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		if put, ok := otherOperator[n.Op]; ok {
			f.add(n.OpPos, n.OpPos+token.Pos(len(n.Op.String())), n.Op.String()+" becomes "+put, put)
		}
	case *ast.IfStmt:
		cond := string(f.source[f.offset(n.Cond.Pos()):f.offset(n.Cond.End())])
		f.add(n.Cond.Pos(), n.Cond.End(), "if true", "(true || "+cond+")")
		f.add(n.Cond.Pos(), n.Cond.End(), "if false", "(false && ("+cond+"))")
	case *ast.ExprStmt:
		f.add(n.Pos(), n.End(), "statement dropped", ";")
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			f.add(n.Pos(), n.End(), "statement dropped", "")
		}
	case *ast.IncDecStmt:
		f.add(n.Pos(), n.End(), "statement dropped", "")
	case *ast.BranchStmt:
		switch {
		case n.Label != nil:
		case n.Tok == token.CONTINUE:
			f.add(n.Pos(), n.End(), "continue becomes break", "break")
		case n.Tok == token.BREAK:
			f.add(n.Pos(), n.End(), "break becomes continue", "continue")
		}
	case *ast.ReturnStmt:
		f.returns(n)
	case *ast.CaseClause:
		f.clause(n)
	case *ast.BasicLit:
		if v, err := strconv.ParseInt(n.Value, 0, 64); n.Kind == token.INT && err == nil {
			f.add(n.Pos(), n.End(), n.Value+" becomes one more", strconv.FormatInt(v+1, 10))
		}
	case *ast.Ident:
		switch n.Name {
		case "true":
			f.add(n.Pos(), n.End(), "true becomes false", "false")
		case "false":
			f.add(n.Pos(), n.End(), "false becomes true", "true")
		}
	case *ast.CompositeLit:
		f.elements(n)
	}
}

// returns has a function that fails succeed: its last result, where that is an
// error that was made there, is nil.
func (f *finder) returns(n *ast.ReturnStmt) {
	if len(n.Results) == 0 {
		return
	}
	last := n.Results[len(n.Results)-1]
	if id, ok := last.(*ast.Ident); ok && (id.Name == "nil" || id.Name == "true" || id.Name == "false") {
		return
	}
	if _, ok := last.(*ast.BasicLit); ok {
		return
	}
	f.add(last.Pos(), last.End(), "returns nil", "nil")
	f.add(last.Pos(), last.End(), "returns an empty text", `""`)
	f.add(last.Pos(), last.End(), "returns true", "true")
	f.add(last.Pos(), last.End(), "returns false", "false")
}

// clause takes the body of a case away, or the case itself.
func (f *finder) clause(n *ast.CaseClause) {
	if len(n.Body) > 0 {
		f.add(n.Colon+1, n.Body[len(n.Body)-1].End(), "case does nothing", "")
	}
	if len(n.List) > 1 {
		for i, e := range n.List {
			if i+1 < len(n.List) {
				f.add(e.Pos(), n.List[i+1].Pos(), "case without it", "")
			} else {
				f.add(n.List[i-1].End(), e.End(), "case without it", "")
			}
		}
	}
}

// elements takes elements out of lists and tables.
func (f *finder) elements(n *ast.CompositeLit) {
	switch n.Type.(type) {
	case *ast.ArrayType, *ast.MapType:
	default:
		return
	}
	for i, e := range n.Elts {
		if i+1 < len(n.Elts) {
			f.add(e.Pos(), n.Elts[i+1].Pos(), "element dropped", "")
		} else if i > 0 {
			f.add(n.Elts[i-1].End(), e.End(), "element dropped", "")
		}
	}
}
