"""The parts of the simulation (模拟的各步): what is drawn, in the order it is drawn."""
