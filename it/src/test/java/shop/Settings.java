package shop;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Read again and again, as if they changed. */
final class Settings {
    private final Path prices, offers;

    Settings(Path folder) throws IOException {
        prices = Files.writeString(folder.resolve("prices.txt"), "tea 300\ncake 450\n");
        offers = folder.resolve("offers.txt");
    }

    Void work() throws IOException {
        prices();
        offers();
        return null;
    }

    private String prices() throws IOException {
        return Files.readString(prices);
    }

    /** There are none, and it looks each time. */
    private String offers() throws IOException {
        try {
            return Files.readString(offers);
        } catch (NoSuchFileException none) {
            return "";
        }
    }
}
