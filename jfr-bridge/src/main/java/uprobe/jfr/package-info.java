/** Hits of native probes as events of JDK Flight Recorder; {@link uprobe.jfr.EventBridge} is where to begin. */
package uprobe.jfr;
