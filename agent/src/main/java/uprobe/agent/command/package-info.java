/** The command line, in a JVM of its own: finds the target, attaches, shows what the verb there answers. Nothing of it is ever loaded in a target. */
package uprobe.agent.command;
