"""`throughline serve` on a project, and its doors as engines: one connection each, kept open."""

import json
import os
import subprocess
import urllib.parse
from http.client import HTTPConnection

import pyarrow


class Server:
    """The server on free ports, and a token that may see everything."""

    def __init__(self, binary, project):
        where = ["--project", str(project), "--json"]
        made = subprocess.run(
            [binary, "token", "create", "--role", "admin", *where],
            check=True, capture_output=True, text=True,
        )
        self.token = json.loads(made.stdout)["token"]
        addresses = [word for door in ("http", "postgres", "flight")
                     for word in (f"--{door}", "127.0.0.1:0")]
        self.process = subprocess.Popen(
            [binary, "serve", *addresses, *where], stdout=subprocess.PIPE, text=True,
        )
        self.at = self.addresses()

    def addresses(self):
        """Where the doors are, as the server says when they are open."""
        said = ""
        for line in self.process.stdout:
            said += line
            try:
                return json.loads(said)
            except ValueError:
                continue
        raise RuntimeError(f"the server ended with status {self.process.wait()}: {said}")

    def memory_mib(self):
        """Its peak, as the kernel has it."""
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) / 1024 for line in status if "VmHWM:" in line)

    def busy(self):
        """Its CPU seconds. The kernel counts them in hundredths."""
        with open(f"/proc/{self.process.pid}/stat") as stat:
            words = stat.read().rsplit(")", 1)[1].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Door:
    """What asks through a door."""

    dialect = "throughline"

    def __init__(self, server):
        self.busy = server.busy


class Flight(Door):
    """Arrow Flight SQL by ADBC."""

    def __init__(self, server):
        super().__init__(server)
        import adbc_driver_flightsql.dbapi as driver

        self.connection = driver.connect(
            f"grpc://{server.at['flight']}",
            db_kwargs={"adbc.flight.sql.authorization_header": f"Bearer {server.token}"},
            autocommit=True,
        )
        self.cursor = self.connection.cursor()

    def query(self, text):
        # `cursor.execute` would have each statement prepared before, and so planned twice.
        statement = self.cursor.adbc_statement
        statement.set_sql_query(text)
        stream, _ = statement.execute_query()
        return pyarrow.RecordBatchReader.from_stream(stream).read_all()

    def close(self):
        self.cursor.close()
        self.connection.close()


class Postgres(Door):
    """The Postgres wire by psycopg, which hands out rows of Python."""

    def __init__(self, server):
        super().__init__(server)
        import psycopg

        host, port = server.at["postgres"].rsplit(":", 1)
        self.connection = psycopg.connect(
            host=host, port=int(port), user="token", password=server.token,
            dbname="throughline", autocommit=True,
        )

    def query(self, text):
        return self.connection.execute(text).fetchall()

    def close(self):
        self.connection.close()


class Rest(Door):
    """REST, answering in Arrow."""

    def __init__(self, server):
        super().__init__(server)
        at = urllib.parse.urlsplit(f"//{server.at['http']}")
        self.connection = HTTPConnection(at.hostname, at.port)
        self.headers = {
            "Authorization": f"Bearer {server.token}",
            "Accept": "application/vnd.apache.arrow.stream",
            "Content-Type": "application/json",
        }

    def query(self, text):
        self.connection.request(
            "POST", "/api/v1/sql", json.dumps({"statement": text}), self.headers,
        )
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"REST answered {answer.status}: {body[:500]!r}")
        return pyarrow.ipc.open_stream(body).read_all()

    def close(self):
        self.connection.close()


DOORS = {"Flight SQL": Flight, "Postgres": Postgres, "REST": Rest}
