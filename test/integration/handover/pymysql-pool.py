"""A small pool of PyMySQL connections, each of which is asked whether it lives before it is used, as pools do.

Inserts rows in transactions until its standard input ends; then prints how many were committed, and each error.
"""
import json
import select
import sys
import time

import pymysql

host, port = sys.argv[1], int(sys.argv[2])
pool = [
    pymysql.connect(host=host, port=port, user="app", password="app-secret", database="app") for _ in range(3)
]
committed = 0
errors = {}
number = 0
while not select.select([sys.stdin], [], [], 0)[0]:
    connection = pool[number % len(pool)]
    number += 1
    try:
        connection.ping(reconnect=True)
        with connection.cursor() as cursor:
            connection.begin()
            cursor.execute("INSERT INTO pythons VALUES (NULL)")
            cursor.execute("INSERT INTO pythons VALUES (NULL)")
        connection.commit()
        committed += 1
    except pymysql.MySQLError as error:
        errors[str(error.args)] = errors.get(str(error.args), 0) + 1
    time.sleep(0.4)
print(json.dumps({"committed": committed, "errors": errors}))
