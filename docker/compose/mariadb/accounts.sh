# Read by the entrypoint of MariaDB's image when the server is new; docker_process_sql is a function of it. Makes the
# accounts of Sluice and of the application, on the primary alone: the replicas get them by replication.

password_of() {
  sed "s/[\\\\']/\\\\&/g" "/run/secrets/$1-password"
}

docker_process_sql <<SQL
CREATE DATABASE \`$APP_SCHEMA\`;
CREATE USER '$APP_USER'@'%' IDENTIFIED BY '$(password_of app)';
GRANT ALL ON \`$APP_SCHEMA\`.* TO '$APP_USER'@'%';

CREATE USER monitor@'%' IDENTIFIED BY '$(password_of monitor)';
GRANT SLAVE MONITOR, REPLICATION MASTER ADMIN, PROCESS, SELECT, SHOW VIEW, TRIGGER ON *.* TO monitor@'%';
-- To change the primary.
GRANT READ_ONLY ADMIN, REPLICATION SLAVE ADMIN, CONNECTION ADMIN, RELOAD ON *.* TO monitor@'%';
-- To follow the binlog, for the cache.
GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO monitor@'%';
GRANT CREATE, SELECT, INSERT, UPDATE, DELETE ON sluice.* TO monitor@'%';
SQL
