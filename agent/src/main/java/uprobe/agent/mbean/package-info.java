/** The verbs as an MBean, for JMC's MBean browser, Cryostat and whoever speaks JMX. Loaded once the application, or who watches it, has JMX running. */
package uprobe.agent.mbean;
