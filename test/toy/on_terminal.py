"""Runs a command on a terminal of its own: on_terminal.py <rows> <columns> <file that hangs it up when it appears, or -> <command...>

Prints what the terminal was sent, byte for byte. Ends with the command's exit code, or 128 and the signal that ended it.
"""
import fcntl, os, pty, select, struct, sys, termios

rows, columns, hang_up = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
child = os.fork()
if child == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in (0, 1, 2):
        os.dup2(slave, fd)
    os.closerange(3, 256)
    os.execvp(sys.argv[4], sys.argv[4:])
os.close(slave)
while True:
    if hang_up != "-" and os.path.exists(hang_up):
        break
    if not select.select([master], [], [], 0.05)[0]:
        continue
    try:
        data = os.read(master, 65536)
    except OSError:
        break
    if not data:
        break
    os.write(1, data)
os.close(master)
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
