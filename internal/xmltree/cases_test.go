package xmltree

// A pair is one rule of the reader: a document that is taken, and one that
// differs from it in one point and is refused.
type pair struct {
	rule string
	ok   string
	bad  string
	want string // the error, from its position on
	// stricter says why we refuse what a conforming XML parser takes.
	stricter string
}

const (
	noDTD     = "SAML forbids document types"
	noPI      = "no SAML message needs one, and readers differ on text around it"
	onlyUTF8  = "one encoding, so that there is one reading"
	onlyXML10 = "one version, so that there is one set of characters and line ends"
	bounded   = "every input is bounded"
	canonical = "canonical form is undefined for relative namespace names"
	fiveDigit = "no port has more than five digits"
)

// manyPrefixes are more declarations than are searched one by one.
const manyPrefixes = ` xmlns:a='u:a' xmlns:b='u:b' xmlns:c='u:c' xmlns:d='u:d' xmlns:e='u:e' xmlns:f='u:f' xmlns:g='u:g' xmlns:h='u:h' xmlns:i='u:i' xmlns:j='u:j' xmlns:k='u:k' xmlns:l='u:l' xmlns:m='u:m'`

var pairs = []pair{
	// Encoding, characters (XML 1.0: 2.2, 4.3.3).
	{rule: "byte order mark once", ok: "\uFEFF<a/>", bad: "\uFEFF\uFEFF<a/>", want: "line 1, column 4: text outside the root element"},
	{rule: "UTF-16", ok: "<a/>", bad: "\xFF\xFE<\x00a\x00/\x00>\x00", want: "line 1, column 1: not UTF-8; it looks like UTF-16", stricter: onlyUTF8},
	{rule: "UTF-16BE without mark", ok: "<a/>", bad: "\x00<\x00a\x00/\x00>", want: "line 1, column 1: not UTF-8; it looks like UTF-16"},
	{rule: "invalid UTF-8", ok: "<a>\xC3\xA9</a>", bad: "<a>\xE9</a>", want: "line 1, column 4: not a character"},
	{rule: "overlong form", ok: "<a>/</a>", bad: "<a>\xC0\xAF</a>", want: "line 1, column 4: not a character"},
	{rule: "surrogate", ok: "<a>\uD7FF</a>", bad: "<a>\xED\xA0\x80</a>", want: "line 1, column 4: not a character"},
	{rule: "beyond Unicode", ok: "<a>\U0010FFFF</a>", bad: "<a>\xF4\x90\x80\x80</a>", want: "line 1, column 4: not a character"},
	{rule: "truncated character", ok: "<a>é</a>", bad: "<a>\xC3</a>", want: "line 1, column 4: not a character"},
	{rule: "U+FFFE", ok: "<a>\uFFFD</a>", bad: "<a>\uFFFE</a>", want: "line 1, column 4: not a character"},
	{rule: "U+FFFF", ok: "<a>\uE000</a>", bad: "<a>\uFFFF</a>", want: "line 1, column 4: not a character"},
	{rule: "NUL", ok: "<a>abcdefgh</a>", bad: "<a>abcdefg\x00h</a>", want: "line 1, column 11: not a character"},
	{rule: "NUL in a name", ok: "<abc/>", bad: "<abc\x00/>", want: "line 1, column 5: not a character"},
	{rule: "control in text", ok: "<a>\t</a>", bad: "<a>\x0B</a>", want: "line 1, column 4: not a character"},
	{rule: "control in value", ok: `<a b=" "/>`, bad: "<a b=\"\x1F\"/>", want: "line 1, column 7: not a character"},
	{rule: "control in comment", ok: "<a><!-- --></a>", bad: "<a><!--\x01--></a>", want: "line 1, column 8: not a character"},
	{rule: "control in CDATA", ok: "<a><![CDATA[ ]]></a>", bad: "<a><![CDATA[\x08]]></a>", want: "line 1, column 13: not a character"},
	{rule: "invalid UTF-8 in comment", ok: "<a><!--é--></a>", bad: "<a><!--\xE9--></a>", want: "line 1, column 8: not a character"},
	{rule: "control outside", ok: "<a/>\n", bad: "<a/>\x0C", want: "line 1, column 5: not a character"},

	// The XML declaration (2.8, 2.9, 4.3.3).
	{rule: "version", ok: `<?xml version="1.0"?><a/>`, bad: `<?xml version="1.1"?><a/>`, want: "line 1, column 1: only XML version 1.0", stricter: onlyXML10},
	{rule: "version missing", ok: `<?xml version='1.0' encoding='UTF-8'?><a/>`, bad: `<?xml encoding='UTF-8'?><a/>`, want: "line 1, column 6: the XML declaration must begin with a version"},
	{rule: "empty declaration", ok: `<?xml version='1.0' ?><a/>`, bad: `<?xml ?><a/>`, want: "line 1, column 6: the XML declaration must begin"},
	{rule: "declaration of nothing", ok: `<?xml version='1.0'?><a/>`, bad: `<?xml?><a/>`, want: "line 1, column 1: processing instructions are not taken"},
	{rule: "encoding", ok: `<?xml version="1.0" encoding="utf-8"?><a/>`, bad: `<?xml version="1.0" encoding="ISO-8859-1"?><a/>`, want: "line 1, column 1: the declared encoding is not UTF-8", stricter: onlyUTF8},
	{rule: "encoding of other width", ok: `<?xml version="1.0" encoding="Utf-8"?><a/>`, bad: `<?xml version="1.0" encoding="UTF-16"?><a/>`, want: "line 1, column 1: the declared encoding is not UTF-8"},
	{rule: "standalone", ok: `<?xml version="1.0" standalone="yes"?><a/>`, bad: `<?xml version="1.0" standalone="YES"?><a/>`, want: "line 1, column 1: standalone must be yes or no"},
	{rule: "order", ok: `<?xml version="1.0" encoding="UTF-8" standalone='no'?><a/>`, bad: `<?xml version="1.0" standalone='no' encoding="UTF-8"?><a/>`, want: "line 1, column 37: the XML declaration holds something else"},
	{rule: "space in declaration", ok: "<?xml version = \"1.0\"\tencoding\n=\r\n'UTF-8' ?><a/>", bad: "<?xml version = \"1.0\"encoding='UTF-8'?><a/>", want: "line 1, column 22: the XML declaration holds something else"},
	{rule: "unknown pseudo-attribute", ok: `<?xml version="1.0"?><a/>`, bad: `<?xml version="1.0" a="b"?><a/>`, want: "line 1, column 21: the XML declaration holds something else"},
	{rule: "unquoted version", ok: `<?xml version="1.0"?><a/>`, bad: `<?xml version=1.0?><a/>`, want: "line 1, column 6: the XML declaration must begin with a version"},
	{rule: "another sign for =", ok: `<?xml version="1.0"?><a/>`, bad: `<?xml version:"1.0"?><a/>`, want: "line 1, column 6: the XML declaration must begin with a version"},
	{rule: "nothing for =", ok: `<?xml version="1.0"?><a/>`, bad: `<?xml version`, want: "line 1, column 6: the XML declaration must begin with a version"},
	{rule: "declaration cut off", ok: `<?xml version="1.0"?><a/>`, bad: `<?xml`, want: "line 1, column 1: processing instructions are not taken"},
	{rule: "declaration cut off before a value", ok: `<?xml version="1.0"?><a/>`, bad: `<?xml version=`, want: "line 1, column 6: the XML declaration must begin with a version"},
	{rule: "declaration of an empty version", ok: `<?xml version="1.0"?><a/>`, bad: `<?xml version=""?><a/>`, want: "line 1, column 1: only XML version 1.0"},
	{rule: "mixed quotes", ok: `<?xml version="1.0"?><a/>`, bad: `<?xml version="1.0'?><a/>`, want: "line 1, column 6: the XML declaration must begin with a version"},
	{rule: "declaration closed", ok: `<?xml version="1.0"?><a/>`, bad: `<?xml version="1.0"><a/>`, want: "line 1, column 20: the XML declaration holds something else"},
	{rule: "declaration first", ok: `<?xml version="1.0"?> <a/>`, bad: ` <?xml version="1.0"?><a/>`, want: "line 1, column 2: an XML declaration must be the very first"},
	{rule: "declaration late", ok: `<?xml version="1.0"?><a/>`, bad: `<a/><?xml version="1.0"?>`, want: "line 1, column 5: an XML declaration must be the very first"},
	{rule: "declaration once", ok: `<?xml version="1.0"?><a/>`, bad: `<?xml version="1.0"?><?xml version="1.0"?><a/>`, want: "line 1, column 22: an XML declaration must be the very first"},
	{rule: "declaration after mark", ok: "\uFEFF<?xml version='1.0'?><a/>", bad: "\uFEFF <?xml version='1.0'?><a/>", want: "line 1, column 5: an XML declaration must be the very first"},

	// What we do not take at all.
	{rule: "processing instruction before", ok: "<!--p x--><a/>", bad: "<?p x?><a/>", want: "line 1, column 1: processing instructions are not taken", stricter: noPI},
	{rule: "processing instruction in text", ok: "<a>x<!--p-->y</a>", bad: "<a>x<?p?>y</a>", want: "line 1, column 5: processing instructions are not taken", stricter: noPI},
	{rule: "processing instruction after", ok: "<a/><!--p-->", bad: "<a/><?p?>", want: "line 1, column 5: processing instructions are not taken", stricter: noPI},
	{rule: "stylesheet", ok: "<a/>", bad: `<?xml-stylesheet href="x"?><a/>`, want: "line 1, column 1: processing instructions are not taken", stricter: noPI},
	{rule: "document type", ok: "<a/>", bad: "<!DOCTYPE a><a/>", want: "line 1, column 1: document type and other markup declarations", stricter: noDTD},
	{rule: "entity", ok: "<a>&amp;</a>", bad: `<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>`, want: "line 1, column 1: document type and other markup declarations", stricter: noDTD},
	{rule: "external entity", ok: "<a>&amp;</a>", bad: `<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>`, want: "line 1, column 1: document type", stricter: noDTD},
	{rule: "markup declaration inside", ok: "<a><b/></a>", bad: "<a><!ELEMENT b EMPTY></a>", want: "line 1, column 4: document type and other markup declarations"},
	{rule: "lower case CDATA", ok: "<a><![CDATA[x]]></a>", bad: "<a><![cdata[x]]></a>", want: "line 1, column 4: document type and other"},

	// The document (2.1, 2.8).
	{rule: "some element", ok: "<!-- --><a/>", bad: "<!-- -->", want: "line 1, column 9: no element in the document"},
	{rule: "empty", ok: "<a/>", bad: "", want: "line 1, column 1: no element in the document"},
	{rule: "one root", ok: "<a/>", bad: "<a/><a/>", want: "line 1, column 5: a second root element"},
	{rule: "text before", ok: " \t\r\n<a/>", bad: "x<a/>", want: "line 1, column 1: text outside the root element"},
	{rule: "text after", ok: "<a/> \t\r\n", bad: "<a/>\n\nx", want: "line 3, column 1: text outside the root element"},
	{rule: "reference outside", ok: "<a/>\n", bad: "<a/>&#10;", want: "line 1, column 5: text outside the root element"},
	{rule: "CDATA outside", ok: "<a><![CDATA[]]></a>", bad: "<a/><![CDATA[]]>", want: "line 1, column 5: text outside the root element"},
	{rule: "NEL is no white space", ok: "<a/>\n", bad: "<a/>\u0085", want: "line 1, column 5: text outside the root element"},
	{rule: "comments outside", ok: "<!-- a --> <a/> <!-- b -->", bad: "<!-- a --> <a/> <!-- b --", want: "line 1, column 24: -- inside a comment"},

	// Elements (3.1).
	{rule: "end tag", ok: "<a></a>", bad: "<a>", want: `line 1, column 4: the document ends inside element "a"`},
	{rule: "end tag, text before", ok: "<a>x</a>", bad: "<a>x", want: `line 1, column 5: the document ends inside element "a"`},
	{rule: "end tag matches", ok: "<a><b></b></a>", bad: "<a><b></a></b>", want: `line 1, column 7: element "b" ends with the tag of "a"`},
	{rule: "end tag longer", ok: "<a></a>", bad: "<a></ab>", want: `line 1, column 4: element "a" ends with the tag of "ab"`},
	{rule: "end tag shorter", ok: "<ab></ab>", bad: "<ab></a>", want: `line 1, column 5: element "ab" ends with the tag of "a"`},
	{rule: "end tag prefix", ok: "<p:a xmlns:p='u:p'></p:a>", bad: "<p:a xmlns:p='u:p' xmlns:q='u:p'></q:a>", want: `line 1, column 34: element "p:a" ends with the tag of "q:a"`},
	{rule: "end tag space", ok: "<a></a \n>", bad: "<a></ a>", want: "line 1, column 6: an element name is missing"},
	{rule: "end tag attribute", ok: "<a></a>", bad: "<a></a b='c'>", want: `line 1, column 7: the end tag of "a" is not closed`},
	{rule: "end tag slash", ok: "<a></a>", bad: "<a></a/>", want: `line 1, column 7: the end tag of "a" is not closed`},
	{rule: "end tag open", ok: "<a></a>", bad: "<a></a", want: `line 1, column 7: the end tag of "a" is not closed`},
	{rule: "end tag only", ok: "<a></a>", bad: "</a>", want: "line 1, column 1: an end tag without a start tag"},
	{rule: "end tag twice", ok: "<a></a>", bad: "<a></a></a>", want: "line 1, column 8: an end tag without a start tag"},
	{rule: "start tag open", ok: "<a/>", bad: "<a", want: `line 1, column 3: the document ends inside the tag of "a"`},
	{rule: "start tag nested", ok: "<a><b/></a>", bad: "<a<b/></a>", want: `line 1, column 3: white space or the end of the tag of "a" expected`},
	{rule: "lone <", ok: "<a>&lt;</a>", bad: "<a><</a>", want: "line 1, column 5: an element name is missing"},
	{rule: "< at the end", ok: "<a/>", bad: "<a/><", want: "line 1, column 5: the document ends with <"},
	{rule: "empty element", ok: "<a />", bad: "<a / >", want: `line 1, column 4: an attribute name is missing`},

	// Names (2.3; Namespaces in XML: 3, 4).
	{rule: "name start", ok: "<_1/>", bad: "<1/>", want: "line 1, column 2: an element name is missing"},
	{rule: "name start dot", ok: "<a./>", bad: "<.a/>", want: "line 1, column 2: an element name is missing"},
	{rule: "name start hyphen", ok: "<a-/>", bad: "<-a/>", want: "line 1, column 2: an element name is missing"},
	{rule: "name space", ok: "<a/>", bad: "< a/>", want: "line 1, column 2: an element name is missing"},
	{rule: "name character", ok: "<a_b/>", bad: "<a$b/>", want: `line 1, column 3: white space or the end of the tag of "a" expected`},
	{rule: "digit after a letter beyond ASCII", ok: "<é1-.é/>", bad: "<1é/>", want: "line 1, column 2: an element name is missing"},
	{rule: "name letter", ok: "<été·\u0301/>", bad: "<a×/>", want: `line 1, column 3: white space or the end`},
	{rule: "name start combining", ok: "<a\u0301/>", bad: "<\u0301a/>", want: "line 1, column 2: an element name is missing"},
	{rule: "name of new scripts", ok: "<\U00010000\u3007/>", bad: "<\U000F0000/>", want: "line 1, column 2: an element name is missing"},
	{rule: "colon at the start", ok: "<a/>", bad: "<:a/>", want: "line 1, column 2: an element name is missing"},
	{rule: "colon at the end", ok: "<a/>", bad: "<a:/>", want: "line 1, column 2: an element name is missing"},
	{rule: "two colons", ok: "<p:a xmlns:p='u:p'/>", bad: "<p:a:b xmlns:p='u:p'/>", want: "line 1, column 2: an element name is missing"},
	{rule: "local part start", ok: "<p:_1 xmlns:p='u:p'/>", bad: "<p:1 xmlns:p='u:p'/>", want: "line 1, column 2: an element name is missing"},
	{rule: "attribute colon at the end", ok: "<a b=''/>", bad: "<a b:=''/>", want: "line 1, column 4: an attribute name is missing"},
	{rule: "attribute two colons", ok: "<a xmlns:p='u:p' p:b=''/>", bad: "<a xmlns:p='u:p' p:b:c=''/>", want: "line 1, column 18: an attribute name is missing"},
	{rule: "declared prefix empty", ok: "<a xmlns='u:x'/>", bad: "<a xmlns:='u:x'/>", want: "line 1, column 4: an attribute name is missing"},

	// Attributes (3.1, 3.3.3).
	{rule: "value missing", ok: "<a b=''/>", bad: "<a b/>", want: `line 1, column 5: = expected after attribute name "b"`},
	{rule: "value unquoted", ok: "<a b='1'/>", bad: "<a b=1/>", want: `line 1, column 6: the value of attribute "b" is not quoted`},
	{rule: "value unclosed", ok: "<a b='1'/>", bad: "<a b='1/>", want: `line 1, column 6: the value of attribute "b" does not end`},
	{rule: "value other quote", ok: `<a b="'"/>`, bad: `<a b="1'/>`, want: `line 1, column 6: the value of attribute "b" does not end`},
	{rule: "value at the end", ok: "<a b=''/>", bad: "<a b=", want: `line 1, column 6: the value of attribute "b" is not quoted`},
	{rule: "< in value", ok: "<a b='>&lt;'/>", bad: "<a b='><'/>", want: `line 1, column 8: < in the value of attribute "b"`},
	{rule: "& in value", ok: "<a b='&amp;'/>", bad: "<a b='&'/>", want: "line 1, column 7: & begins no reference"},
	{rule: "space between attributes", ok: "<a b=''\nc=''/>", bad: "<a b=''c=''/>", want: `line 1, column 8: white space or the end of the tag of "a" expected`},
	{rule: "space around =", ok: "<a b \n = \t ''/>", bad: "<a b c=''/>", want: `line 1, column 6: = expected after attribute name "b"`},
	{rule: "attribute twice", ok: "<a b='' c=''/>", bad: "<a b='' b=''/>", want: `line 1, column 9: attribute "b" is there twice, as "b" before`},
	{rule: "attribute twice among many", ok: "<a a='' b='' c='' d='' e='' f='' g='' h='' i='' j=''/>", bad: "<a a='' b='' c='' d='' e='' f='' g='' h='' i='' b=''/>", want: `line 1, column 49: attribute "b" is there twice, as "b" before`},
	{rule: "expanded name twice", ok: "<a xmlns:p='u:p' xmlns:q='u:q' p:b='' q:b='' b=''/>", bad: "<a xmlns:p='u:p' xmlns:q='u:p' p:b='' q:b='' b=''/>", want: `line 1, column 39: attribute "q:b" is there twice, as "p:b" before`},
	{rule: "expanded name twice among many", ok: "<a xmlns:p='u:p' xmlns:q='u:q' p:b='' c='' d='' e='' f='' g='' h='' q:b=''/>", bad: "<a xmlns:p='u:p' xmlns:q='u:p' p:b='' c='' d='' e='' f='' g='' h='' q:b=''/>", want: `line 1, column 69: attribute "q:b" is there twice, as "p:b" before`},
	{rule: "expanded name over levels", ok: "<a xmlns:p='u:p'><b xmlns:q='u:q' q:b='' p:b=''/></a>", bad: "<a xmlns:p='u:p'><b xmlns:q='u:p' q:b='' p:b=''/></a>", want: `line 1, column 42: attribute "p:b" is there twice`},
	{rule: "default namespace is not an attribute's", ok: "<a xmlns='u:p' xmlns:p='u:p' b='' p:b=''/>", bad: "<a xmlns='u:p' xmlns:p='u:p' b='' b=''/>", want: `line 1, column 35: attribute "b" is there twice`},
	{rule: "declaration twice", ok: "<a xmlns:p='u:p' xmlns:q='u:q'/>", bad: "<a xmlns:p='u:p' xmlns:p='u:q'/>", want: `line 1, column 18: attribute "xmlns:p" is there twice`},
	{rule: "default twice", ok: "<a xmlns='u:p'/>", bad: "<a xmlns='u:p' xmlns='u:p'/>", want: `line 1, column 16: attribute "xmlns" is there twice`},
	{rule: "prefix twice", ok: "<a xml:lang='' lang=''/>", bad: "<a xml:lang='' xml:lang=''/>", want: `line 1, column 16: attribute "xml:lang" is there twice`},

	// Namespaces (Namespaces in XML: 2.2, 3, 5, 6).
	{rule: "element prefix", ok: "<p:a xmlns:p='u:p'/>", bad: "<p:a/>", want: `line 1, column 1: prefix "p" of element "a" is not declared`},
	{rule: "element prefix out of scope", ok: "<a xmlns:p='u:p'><p:b/></a>", bad: "<a><b xmlns:p='u:p'/><p:b/></a>", want: `line 1, column 22: prefix "p" of element "b" is not declared`},
	{rule: "element prefix after its element", ok: "<a xmlns:p='u:p'><b xmlns:p='u:q'></b><p:b/></a>", bad: "<a><b xmlns:p='u:p'></b><p:b/></a>", want: `line 1, column 25: prefix "p" of element "b" is not declared`},
	{rule: "expanded name after hiding", ok: "<a xmlns:p='u:p' xmlns:q='u:q'><b xmlns:p='u:q'><c/></b><d p:x='' q:x=''/></a>", bad: "<a xmlns:p='u:p' xmlns:q='u:p'><b xmlns:p='u:q'><c/></b><d p:x='' q:x=''/></a>", want: `line 1, column 67: attribute "q:x" is there twice`},
	{rule: "prefix out of scope among many", ok: "<a" + manyPrefixes + "><b xmlns:p='u:p'><p:c/></b></a>", bad: "<a" + manyPrefixes + "><b xmlns:p='u:p'/><p:c/></a>", want: `prefix "p" of element "c" is not declared`},
	{rule: "attribute prefix", ok: "<a xmlns:p='u:p' p:b=''/>", bad: "<a p:b=''/>", want: `line 1, column 4: prefix "p" of attribute "b" is not declared`},
	{rule: "prefixes are case-sensitive", ok: "<p:a xmlns:p='u:p'/>", bad: "<P:a xmlns:p='u:p'/>", want: `prefix "P" of element "a" is not declared`},
	{rule: "xml needs no declaration", ok: "<a xml:space='preserve'/>", bad: "<a XML:space='preserve'/>", want: `prefix "XML" of attribute "space" is not declared`},
	{rule: "prefix undeclared", ok: "<a xmlns:p='u:p'/>", bad: "<a xmlns:p=''/>", want: `line 1, column 4: "xmlns:p": a prefix must not be bound to an empty namespace name`},
	{rule: "prefix undeclared inside", ok: "<a xmlns='u:p'><b xmlns=''/></a>", bad: "<a xmlns:p='u:p'><b xmlns:p=''/></a>", want: `line 1, column 21: "xmlns:p": a prefix must not be bound to an empty`},
	{rule: "prefix xml", ok: "<a xmlns:xml='http://www.w3.org/XML/1998/namespace'/>", bad: "<a xmlns:xml='u:p'/>", want: `line 1, column 4: "xmlns:xml": the prefix xml must not be bound to another namespace`},
	{rule: "prefix xml empty", ok: "<a xmlns:xml='http://www.w3.org/XML/1998/namespace'/>", bad: "<a xmlns:xml=''/>", want: `"xmlns:xml": the prefix xml must not be bound to another namespace`},
	{rule: "namespace of xml", ok: "<a xmlns:p='http://www.w3.org/XML/1998/namespaces'/>", bad: "<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>", want: `"xmlns:p": the namespace names of xml and xmlns must not be bound`},
	{rule: "namespace of xml as default", ok: "<a xmlns='http://www.w3.org/XML/1998/namespaces'/>", bad: "<a xmlns='http://www.w3.org/XML/1998/namespace'/>", want: `"xmlns": the namespace names of xml and xmlns must not be bound`},
	{rule: "prefix xmlns", ok: "<a xmlns:xmln='u:p'/>", bad: "<a xmlns:xmlns='u:p'/>", want: `"xmlns:xmlns": the prefix xmlns must not be declared`},
	{rule: "prefix xmlns to its own", ok: "<a xmlns:xmln='u:p'/>", bad: "<a xmlns:xmlns='http://www.w3.org/2000/xmlns/'/>", want: `"xmlns:xmlns": the prefix xmlns must not be declared`},
	{rule: "namespace of xmlns", ok: "<a xmlns:p='http://www.w3.org/2000/xmlns'/>", bad: "<a xmlns:p='http://www.w3.org/2000/xmlns/'/>", want: `"xmlns:p": the namespace names of xml and xmlns must not be bound`},
	{rule: "namespace of xmlns as default", ok: "<a xmlns='http://www.w3.org/2000/xmlns'/>", bad: "<a xmlns='http://www.w3.org/2000/xmlns/'/>", want: `"xmlns": the namespace names of xml and xmlns must not be bound`},
	{rule: "namespace of xml by references", ok: "<a xmlns:p='http://www.w3.org/XML/1998/&#110;'/>", bad: "<a xmlns:p='http://www.w3.org/XML/1998/&#110;amespace'/>", want: `"xmlns:p": the namespace names of xml and xmlns must not be bound`},
	{rule: "element in xmlns", ok: "<xml:a/>", bad: "<xmlns:a/>", want: "line 1, column 1: an element must not have the prefix xmlns"},
	{rule: "relative name", ok: "<a xmlns='u:p'/>", bad: "<a xmlns='p'/>", want: `"xmlns": a namespace name must be an absolute URI`, stricter: canonical},
	{rule: "relative name of prefix", ok: "<a xmlns:p='u:p'/>", bad: "<a xmlns:p='../p'/>", want: `"xmlns:p": a namespace name must be an absolute URI`, stricter: canonical},
	{rule: "scheme", ok: "<a xmlns:p='a+b-c.1:p'/>", bad: "<a xmlns:p='1a:p'/>", want: `"xmlns:p": a namespace name must be an absolute URI`},
	{rule: "scheme empty", ok: "<a xmlns:p='u:'/>", bad: "<a xmlns:p=':p'/>", want: `"xmlns:p": a namespace name must be an absolute URI`},
	{rule: "scheme after path", ok: "<a xmlns:p='u:p'/>", bad: "<a xmlns:p='/p:p'/>", want: `"xmlns:p": a namespace name must be an absolute URI`, stricter: canonical},
	{rule: "space in name", ok: "<a xmlns:p='urn:a%20b'/>", bad: "<a xmlns:p='urn:a b'/>", want: `"xmlns:p": a namespace name must be an absolute URI`},
	{rule: "space around name", ok: "<a xmlns:p='urn:a'/>", bad: "<a xmlns:p=' urn:a'/>", want: `"xmlns:p": a namespace name must be an absolute URI`},
	{rule: "line end in name", ok: "<a xmlns:p='urn:a'/>", bad: "<a xmlns:p='urn:a&#10;'/>", want: `"xmlns:p": a namespace name must be an absolute URI`},
	{rule: "letters in name", ok: "<a xmlns:p='urn:%C3%A9'/>", bad: "<a xmlns:p='urn:é'/>", want: `"xmlns:p": a namespace name must be an absolute URI`},
	{rule: "escape in name", ok: "<a xmlns:p='urn:%2F'/>", bad: "<a xmlns:p='urn:%2G'/>", want: `"xmlns:p": a namespace name must be an absolute URI`},
	{rule: "escape at the end of name", ok: "<a xmlns:p='urn:%2F'/>", bad: "<a xmlns:p='urn:%2'/>", want: `"xmlns:p": a namespace name must be an absolute URI`},
	{rule: "delimiters in name", ok: "<a xmlns:p=\"u:-._~:/?@!$'()*+,;=#/?\"/>", bad: "<a xmlns:p='u:{}'/>", want: `"xmlns:p": a namespace name must be an absolute URI`},
	{rule: "backslash in name", ok: "<a xmlns:p='u:/'/>", bad: "<a xmlns:p='u:\\'/>", want: `"xmlns:p": a namespace name must be an absolute URI`},
	{rule: "brackets in name", ok: "<a xmlns:p='u:()'/>", bad: "<a xmlns:p='u:[]'/>", want: `"xmlns:p": a namespace name must be an absolute URI`},
	{rule: "fragment once", ok: "<a xmlns:p='u:p#a'/>", bad: "<a xmlns:p='u:p#a#b'/>", want: `"xmlns:p": a namespace name must be an absolute URI`},
	{rule: "only a scheme and host", ok: "<a xmlns:p='http://a.example'/>", bad: "<a xmlns:p='//a.example'/>", want: `"xmlns:p": a namespace name must be an absolute URI`, stricter: canonical},
	{rule: "port", ok: "<a xmlns:p='http://u:v@a.example:80/?:#:'/>", bad: "<a xmlns:p='http://a.example:b/'/>", want: `"xmlns:p": a namespace name must be an absolute URI`},
	{rule: "port twice", ok: "<a xmlns:p='http://a.example:80/:80'/>", bad: "<a xmlns:p='http://a.example:80:80/'/>", want: `"xmlns:p": a namespace name must be an absolute URI`},
	{rule: "user twice", ok: "<a xmlns:p='http://u@a.example/@'/>", bad: "<a xmlns:p='http://u@v@a.example/'/>", want: `"xmlns:p": a namespace name must be an absolute URI`},
	{rule: "empty port", ok: "<a xmlns:p='http://a.example/:'/>", bad: "<a xmlns:p='http://a.example:/'/>", want: `"xmlns:p": a namespace name must be an absolute URI`},
	{rule: "short port", ok: "<a xmlns:p='http://a.example:8/'/>", bad: "<a xmlns:p='http://a.example:123456/'/>", want: `"xmlns:p": a namespace name must be an absolute URI`, stricter: fiveDigit},
	{rule: "long port", ok: "<a xmlns:p='http://a.example:65535/'/>", bad: "<a xmlns:p='http://a.example:99999999999/'/>", want: `"xmlns:p": a namespace name must be an absolute URI`},

	// Text (2.4, 2.7, 4.1, 4.6).
	{rule: "line ends before everything", ok: "\r<a>1\r2</a>", bad: "\n<a>&</a>", want: "line 2, column 4: & begins no reference"},
	{rule: "bare &", ok: "<a>a &amp; b</a>", bad: "<a>a & b</a>", want: "line 1, column 6: & begins no reference"},
	{rule: "& at the end", ok: "<a>&amp;</a>", bad: "<a>&amp</a>", want: "line 1, column 4: & begins no reference"},
	{rule: "bare & before ;", ok: "<a>a &amp; b;</a>", bad: "<a>a & b;</a>", want: "line 1, column 6: & begins no reference"},
	{rule: "predefined entities", ok: "<a b='&lt;&gt;&amp;&quot;&apos;'>&lt;&gt;&amp;&quot;&apos;</a>", bad: "<a>&nbsp;</a>", want: `line 1, column 4: entity "nbsp" is not declared`},
	{rule: "digit a", ok: "<a>&#xaA;</a>", bad: "<a>&#x@;</a>", want: "line 1, column 4: a character reference is not a number"},
	{rule: "digit before a", ok: "<a>&#xfF;</a>", bad: "<a>&#x`;</a>", want: "line 1, column 4: a character reference is not a number"},
	{rule: "entity with a colon", ok: "<a>&amp;</a>", bad: "<a>&a:b;</a>", want: "line 1, column 4: & begins no reference"},
	{rule: "entities are case-sensitive", ok: "<a>&lt;</a>", bad: "<a>&LT;</a>", want: `line 1, column 4: entity "LT" is not declared`},
	{rule: "character reference", ok: "<a>&#65;&#x41;&#xe9;&#xE9;&#0065;</a>", bad: "<a>&#X41;</a>", want: "line 1, column 4: a character reference is not a number"},
	{rule: "reference without digits", ok: "<a>&#9;</a>", bad: "<a>&#;</a>", want: "line 1, column 4: a character reference is not a number"},
	{rule: "reference without hex digits", ok: "<a>&#xA;</a>", bad: "<a>&#x;</a>", want: "line 1, column 4: a character reference is not a number"},
	{rule: "hex digits in decimal", ok: "<a>&#xAA;</a>", bad: "<a>&#AA;</a>", want: "line 1, column 4: a character reference is not a number"},
	{rule: "digits after f", ok: "<a>&#x4f;&#x4F;&#x4a;</a>", bad: "<a>&#x4g;</a>", want: "line 1, column 4: a character reference is not a number"},
	{rule: "sign in reference", ok: "<a>&#65;</a>", bad: "<a>&#+65;</a>", want: "line 1, column 4: a character reference is not a number"},
	{rule: "reference to NUL", ok: "<a>&#13;</a>", bad: "<a>&#0;</a>", want: "line 1, column 4: a character reference to no character"},
	{rule: "reference to control", ok: "<a>&#x20;</a>", bad: "<a>&#x1F;</a>", want: "line 1, column 4: a character reference to no character"},
	{rule: "reference to surrogate", ok: "<a>&#xD7FF;&#xE000;</a>", bad: "<a>&#xD800;</a>", want: "line 1, column 4: a character reference to no character"},
	{rule: "reference to U+FFFE", ok: "<a>&#xFFFD;&#x10000;</a>", bad: "<a>&#xFFFE;</a>", want: "line 1, column 4: a character reference to no character"},
	{rule: "reference beyond Unicode", ok: "<a>&#x10FFFF;</a>", bad: "<a>&#x110000;</a>", want: "line 1, column 4: a character reference to no character"},
	{rule: "reference that overflows", ok: "<a>&#65;</a>", bad: "<a>&#4294967361;</a>", want: "line 1, column 4: a character reference to no character"},
	{rule: "reference in value", ok: "<a b='&#10;'/>", bad: "<a b='&#11;'/>", want: "line 1, column 7: a character reference to no character"},
	{rule: "length of reference", ok: "<a>&#000000000000000000065;</a>", bad: "<a>&#0000000000000000000065;</a>", want: "line 1, column 4: & begins no reference of at most 24 bytes", stricter: bounded},
	{rule: "]]> in text", ok: "<a>]]&gt; ]] > ]>]</a>", bad: "<a>b]]></a>", want: "line 1, column 5: ]]> in text"},
	{rule: "CDATA end", ok: "<a><![CDATA[]]]]><![CDATA[>]]></a>", bad: "<a><![CDATA[x]] ></a>", want: "line 1, column 4: a CDATA section does not end"},
	{rule: "]]> after CDATA", ok: "<a><![CDATA[x]]></a>", bad: "<a><![CDATA[x]]>]]></a>", want: "line 1, column 17: ]]> in text"},

	// Comments (2.5).
	{rule: "comment end", ok: "<a><!-- x --></a>", bad: "<a><!-- x -- ></a>", want: "line 1, column 11: -- inside a comment"},
	{rule: "-- in comment", ok: "<a><!-- x - x --></a>", bad: "<a><!-- x -- x --></a>", want: "line 1, column 11: -- inside a comment"},
	{rule: "- before the end", ok: "<a><!-- x- --></a>", bad: "<a><!-- x---></a>", want: "line 1, column 10: -- inside a comment"},
	{rule: "shortest comment", ok: "<a><!----></a>", bad: "<a><!---></a>", want: "line 1, column 4: a comment does not end"},
	{rule: "comment in a tag", ok: "<a><!-- --></a>", bad: "<a <!-- -->></a>", want: "line 1, column 4: an attribute name is missing"},
	{rule: "comment start", ok: "<a><!----></a>", bad: "<a><!- -></a>", want: "line 1, column 4: document type and other"},
}
