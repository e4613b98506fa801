/**
 * The engine's face: {@link uprobe.probe.ProbeEngine} and what it takes and gives. Behind it are rooms, each of which knows only those after it:
 *
 * <pre>
 *   uprobe.probe           defines, arms, disarms; what a probe means in the libraries of now; counters, refusals
 *   uprobe.probe.patch     what is written where: sites, the guards of signals, references that keep libraries
 *   uprobe.probe.code      what a displaced instruction becomes: tables of decoded code, the relocator, slots, the planner
 *   uprobe.probe.helper    the C helper's functions, and what is packed for them
 *   uprobe.probe.elf       libraries of this process and their symbols        uprobe.probe.spec    the probe language
 * </pre>
 *
 * Of the face the rooms know the words it speaks in: {@link uprobe.probe.Refusal}, {@link uprobe.probe.ProbeRefusedException} and
 * {@link uprobe.probe.ArmedSite}. RoomsTest sees to it. Types of the rooms are public for the face, not for users of the engine.
 */
package uprobe.probe;
