#!/usr/bin/env bash
# Installs what only some tests need into target/tools: other readers of Delta tables, clients of
# the doors and S3 in memory (Python), dbt (Python), an S3 that overwrites (Node), and drivers of
# JDBC (Maven). Quick when they are there. Tests that miss them are skipped and say so.
# `scripts/tools.sh spark` also installs Spark with Delta.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly TOOLS=${TARGET_DIR:-target}/tools
readonly REQUIREMENTS=tests/readers/requirements.txt
readonly DBT=tests/dbt/requirements.txt
readonly REST=tests/rest/requirements.txt
readonly REDOCLY=2.77.0
readonly SPECTRAL=6.16.3
readonly S3RVER=3.7.1
readonly FLIGHT_SQL_JDBC=18.3.0
readonly PYSPARK=4.0.1
readonly DELTA_SPARK=4.0.0

without() { # what, and why
    echo "setup: without $1: $2; the tests that need it are skipped" >&2
}

install_python() {
    local done=$TOOLS/python/.requirements
    cmp -s "$REQUIREMENTS" "$done" && return
    command -v python3 >/dev/null || { without "Delta readers" "python3 is missing"; return; }
    echo "setup: installing $REQUIREMENTS into $TOOLS/python" >&2
    if python3 -m venv "$TOOLS/python" \
        && "$TOOLS/python/bin/pip" install --quiet --requirement "$REQUIREMENTS"; then
        cp "$REQUIREMENTS" "$done"
    else
        without "Delta readers" "pip could not install $REQUIREMENTS"
    fi
}

install_dbt() {
    local done=$TOOLS/dbt/.requirements
    cmp -s "$DBT" "$done" && return
    command -v python3 >/dev/null || { without dbt "python3 is missing"; return; }
    echo "setup: installing $DBT into $TOOLS/dbt" >&2
    if python3 -m venv "$TOOLS/dbt" \
        && "$TOOLS/dbt/bin/pip" install --quiet --requirement "$DBT"; then
        cp "$DBT" "$done"
    else
        without dbt "pip could not install $DBT"
    fi
}

install_rest() {
    local done=$TOOLS/rest/.requirements
    cmp -s "$REST" "$done" && return
    command -v python3 >/dev/null || { without schemathesis "python3 is missing"; return; }
    echo "setup: installing $REST into $TOOLS/rest" >&2
    if python3 -m venv "$TOOLS/rest" \
        && "$TOOLS/rest/bin/pip" install --quiet --requirement "$REST"; then
        cp "$REST" "$done"
    else
        without schemathesis "pip could not install $REST"
    fi
}

# What reads the OpenAPI document critically.
install_linters() {
    [[ -x $TOOLS/linters/node_modules/.bin/spectral ]] && return
    command -v npm >/dev/null || { without "redocly and spectral" "npm is missing"; return; }
    echo "setup: installing redocly $REDOCLY and spectral $SPECTRAL into $TOOLS/linters" >&2
    mkdir -p "$TOOLS/linters"
    npm install --silent --no-fund --no-audit --prefix "$TOOLS/linters" \
        "@redocly/cli@$REDOCLY" "@stoplight/spectral-cli@$SPECTRAL" >/dev/null \
        || without "redocly and spectral" "npm could not install them"
}

install_node() {
    [[ -x $TOOLS/node/node_modules/.bin/s3rver ]] && return
    command -v npm >/dev/null || { without s3rver "npm is missing"; return; }
    echo "setup: installing s3rver $S3RVER into $TOOLS/node" >&2
    mkdir -p "$TOOLS/node"
    npm install --silent --no-fund --no-audit --prefix "$TOOLS/node" "s3rver@$S3RVER" >/dev/null \
        || without s3rver "npm could not install it"
}

# Drivers that tests run with java.
install_jdbc() {
    local home=$TOOLS/jdbc
    [[ -f $home/flight-sql-jdbc-driver.jar ]] && return
    command -v java >/dev/null || { without "drivers of JDBC" "java is missing"; return; }
    command -v mvn >/dev/null || { without "drivers of JDBC" "mvn is missing"; return; }
    echo "setup: installing flight-sql-jdbc-driver $FLIGHT_SQL_JDBC into $home" >&2
    mvn --quiet --batch-mode dependency:copy -Dmdep.stripVersion=true \
        "-Dartifact=org.apache.arrow:flight-sql-jdbc-driver:$FLIGHT_SQL_JDBC" \
        "-DoutputDirectory=$(realpath -m "$home")" \
        || without "drivers of JDBC" "Maven Central did not give them"
}

# Spark with Delta, from PyPI and Maven Central: half a gigabyte, so only where it is asked for.
install_spark() {
    local home=$TOOLS/spark
    [[ -f $home/.done ]] && return
    command -v java >/dev/null || { without delta-spark "java is missing"; return; }
    command -v mvn >/dev/null || { without delta-spark "mvn is missing"; return; }
    echo "setup: installing pyspark $PYSPARK and delta-spark $DELTA_SPARK into $home" >&2
    local artifact
    python3 -m venv "$home" && "$home/bin/pip" install --quiet "pyspark==$PYSPARK" \
        || { without delta-spark "pip could not install pyspark"; return; }
    for artifact in delta-spark_2.13 delta-storage; do
        mvn --quiet --batch-mode dependency:copy \
            "-Dartifact=io.delta:$artifact:$DELTA_SPARK" "-DoutputDirectory=$home/jars" \
            || { without delta-spark "Maven Central did not give it"; return; }
    done
    touch "$home/.done"
}

install_python
install_dbt
install_rest
install_linters
install_node
install_jdbc
if [[ ${1:-} == spark ]]; then install_spark; fi
