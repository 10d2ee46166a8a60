"""Well-known microcontroller boards: memory, core and clock, each with its source."""

import dataclasses

KIB, MIB = 2**10, 2**20


@dataclasses.dataclass(frozen=True)
class Board:
    """A board, as its source states it.

    Attributes:
        name: As it is sold.
        chip: The microcontroller.
        core: The processor core that runs the network.
        megahertz: Highest clock.
        sram_bytes: All RAM on the chip; a program may not get it in one piece.
        flash_bytes: For the program and its constants.
        source: Where the figures stand.
    """

    name: str
    chip: str
    core: str
    megahertz: int
    sram_bytes: int
    flash_bytes: int
    source: str


def _mlperf(version, path):
    return f"MLPerf Tiny v{version}, closed/{path}.json"


def _zephyr(board):
    return f"docs.zephyrproject.org/4.1.0/boards/{board}/doc/index.html"


BOARDS = (
    Board(
        *("micro:bit v2", "nRF52833", "Cortex-M4", 64, 128 * KIB, 512 * KIB),
        "micro:bit v2 hardware description, tech.microbit.org/hardware",
    ),
    Board(
        *("NUCLEO-G0B1RE", "STM32G0B1RE", "Cortex-M0+", 64, 144 * KIB, 512 * KIB),
        _mlperf("1.2", "bosch/systems/NUCLEO_G0B1RE_int8"),
    ),
    Board(
        *("Arduino Nano 33 BLE Sense", "nRF52840", "Cortex-M4", 64),
        *(
            256 * KIB,
            MIB,
            "Nano 33 BLE Sense data sheet, github.com/arduino/docs-content",
        ),
    ),
    Board(
        *("NUCLEO-U385RG-Q", "STM32U385RG", "Cortex-M33", 96, 256 * KIB, MIB),
        _mlperf("1.3", "STMicroelectronics/systems/NUCLEO_U385RG_Q"),
    ),
    Board(
        *("Raspberry Pi Pico", "RP2040", "Cortex-M0+", 133, 264 * KIB, 2 * MIB),
        "datasheets.raspberrypi.com/pico/pico-product-brief.pdf",
    ),
    Board(
        *("32F746GDISCOVERY", "STM32F746NG", "Cortex-M7", 216, 320 * KIB, MIB),
        _mlperf("1.2", "bosch/systems/DISCO_F746NG_int8_max_performance"),
    ),
    Board(
        *("ESP32-S3-DevKitC-1-N8", "ESP32-S3", "Xtensa LX7", 240, 512 * KIB, 8 * MIB),
        f"{_zephyr('espressif/esp32s3_devkitc')}; N8 is 8 MB of flash",
    ),
    Board(
        *("Raspberry Pi Pico 2", "RP2350", "Cortex-M33", 150, 520 * KIB, 4 * MIB),
        _zephyr("raspberrypi/rpi_pico2"),
    ),
    Board(
        *("NUCLEO-L4R5ZI", "STM32L4R5ZI", "Cortex-M4", 120, 640 * KIB, 2 * MIB),
        _mlperf("1.2", "STMicroelectronics/systems/NUCLEO_L4R5ZI"),
    ),
    Board(
        *("NUCLEO-U575ZI-Q", "STM32U575ZI", "Cortex-M33", 160, 768 * KIB, 2 * MIB),
        _mlperf("1.2", "STMicroelectronics/systems/NUCLEO_U575ZI_Q"),
    ),
    Board(
        *("CY8CPROTO-062-4343W", "PSoC 62", "Cortex-M4", 150, MIB, 2 * MIB),
        _mlperf("1.2", "bosch/systems/CY8CPROTO_062_4343W_int8"),
    ),
    Board(
        *("EK-RA8D1", "R7FA8D1AHECBD", "Cortex-M85", 480, MIB, 2 * MIB),
        _mlperf("1.2", "Renesas/systems/EK-RA8D1"),
    ),
    Board(
        *("NUCLEO-H7A3ZI-Q", "STM32H7A3ZI", "Cortex-M7", 280),
        *(int(1.19 * MIB), 2 * MIB),
        _mlperf("1.2", "STMicroelectronics/systems/NUCLEO_H7A3ZI_Q"),
    ),
)
