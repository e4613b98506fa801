/** The C helper libuprobe.so as Java sees it: its functions, and tables packed as {@code uprobe.h} has them. */
package uprobe.probe.helper;
