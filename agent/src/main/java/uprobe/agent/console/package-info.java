/** What commands and the agent in a target have in common: tables, and the messages between them. Loaded in a target only while a command is there. */
package uprobe.agent.console;
