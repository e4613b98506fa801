/** What stands behind {@code -javaagent:uprobe-agent.jar=}: read {@link uprobe.agent.AgentArguments}. */
package uprobe.agent;
