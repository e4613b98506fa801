package uprobe.probe.spec;

import java.util.Collection;
import java.util.Optional;

/** Finds what somebody probably meant to type, for the last words of an error message. */
public final class Nearest {
    private Nearest() {
    }

    /**
     * The known word that the fewest slips of a finger (a letter added, left out, changed, or two neighbours swapped) lead to; the first
     * of equals.
     *
     * @return empty when even the nearest needs more slips than a third of the word's letters (but one is always allowed)
     */
    public static Optional<String> to(String word, Collection<String> known) {
        return best(word, known, Math.max(1, word.length() / 3));
    }

    /** Like {@link #to}, but the nearest however far it is: empty only when nothing is known. */
    public static Optional<String> atAnyDistance(String word, Collection<String> known) {
        return best(word, known, Integer.MAX_VALUE);
    }

    private static Optional<String> best(String word, Collection<String> known, int limit) {
        String best = null;
        int bestDistance = Integer.MAX_VALUE;
        for (String candidate : known) {
            int distance = distance(word, candidate);
            if (distance < bestDistance) {
                best = candidate;
                bestDistance = distance;
            }
        }
        return bestDistance <= limit ? Optional.ofNullable(best) : Optional.empty();
    }

    /* Damerau-Levenshtein in its restricted form (no letter is moved twice) */
    static int distance(String a, String b) {
        int[][] d = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            d[i][0] = i;
        }
        for (int j = 0; j <= b.length(); j++) {
            d[0][j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            for (int j = 1; j <= b.length(); j++) {
                int change = d[i - 1][j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                d[i][j] = Math.min(change, 1 + Math.min(d[i - 1][j], d[i][j - 1]));
                if (i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1)) {
                    d[i][j] = Math.min(d[i][j], 1 + d[i - 2][j - 2]);
                }
            }
        }
        return d[a.length()][b.length()];
    }
}
