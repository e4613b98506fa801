/**
 * The probe language: one line of text such as {@code c:zlib/deflate libz:deflate len=+8($arg1):u32/bytes ret=$retval:s32} becomes a
 * {@link uprobe.probe.spec.ProbeSpec}, or one sentence that names the column and the way out. Nothing here looks at a process, a library
 * or a processor. Read {@link uprobe.probe.spec.ProbeParser} first; the grammar for users is docs/probe-language.md.
 */
package uprobe.probe.spec;
