/**
 * What can be done in a JVM that has the agent, one class a verb: name, parameters and help stand there once, and serve the command line, the agent's
 * argument and the MBean. {@link uprobe.agent.verb.Verbs} knows them all.
 */
package uprobe.agent.verb;
