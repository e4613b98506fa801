package uprobe.probe;

/**
 * A library that is loaded now.
 *
 * @param name of its file
 * @param path of its file, as the kernel has it
 * @param functions how many can be named, aliases counted once
 * @param jniFunctions of these, those that JNI binds to native methods by their names
 * @param codeBytes from its first executable byte to the last
 */
public record LibraryInfo(String name, String path, int functions, int jniFunctions, long codeBytes) {}
