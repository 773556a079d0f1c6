//! The ways in which a secret is written: each kind inside every kind of embedding.

use super::redactor;

/// A secret recognizable only by its name: no shape, and too few digits to look random.
const WORD: &str = "Harbour_PoMJNb!7";

/// Templates with `§` for the secret.
const KINDS: &[(&str, &str)] = &[
    ("xml element", "<user>bob</user><password>§</password>"),
    ("xml attributes", r#"<password type="text" enc='none'>§</password>"#),
    ("xml namespace", r##"<wsse:Password Type="http://x/y#PasswordText">§</wsse:Password>"##),
    ("xml cdata", "<password><![CDATA[§]]></password>"),
    ("xml children", "<credentials><user>bob</user><value>§</value></credentials>"),
    ("xml lines", "<password\n  type=\"text\">\n    §\n  </password>"),
    ("xml entry", r#"<entry key="password">§</entry>"#),
    ("xml property", r#"<property name="db.password" value="§"/>"#),
    ("xml value first", r#"<add value="§" key="ApiKey" />"#),
    ("xml name and value", "<name>api_key</name>\n<value>§</value>"),
    ("xml-rpc", "<member><name>password</name><value><string>§</string></value></member>"),
    ("plist", "<key>Password</key>\n\t<string>§</string>"),
    ("html input", r#"<input type="hidden" name="csrf_token" id="x" value="§">"#),
    ("html password field", r#"<input value="§" class="wide" type="password">"#),
    ("html table", "<tr><td>password</td><td class=\"code\">§</td></tr>"),
    ("html list", "<dt>api_key</dt>\n<dd>§</dd>"),
    ("html meta", r#"<meta name="csrf-token" content="§" />"#),
    ("xml cut off", r#"<login><password type="text">§"#),
    ("sql password", "ALTER USER bob WITH ENCRYPTED PASSWORD '§'"),
    ("sql lower", "alter role bob password '§' valid until 'infinity'"),
    ("sql identified", "CREATE USER 'bob'@'%' IDENTIFIED BY '§'"),
    ("sql plugin", "IDENTIFIED WITH 'caching_sha2_password' BY '§' REQUIRE SSL"),
    ("sql plugin bare", "IDENTIFIED WITH mysql_native_password BY '§'"),
    ("sql oracle", "create user bob identified by \"§\" default tablespace x"),
    ("sql set", "SET PASSWORD FOR 'bob'@'localhost' = '§'"),
    ("sql function", "UPDATE users SET x = PASSWORD('§') WHERE id = 3"),
    ("sql update", "UPDATE users SET password = '§' WHERE id = 3"),
    ("sql secret", "CREATE SECRET s (TYPE s3, KEY_ID 'id', SECRET '§')"),
    ("sql copy", "COPY t FROM 's3://x' SECRET_ACCESS_KEY '§' SESSION_TOKEN 'x'"),
    ("sql insert", "INSERT INTO users (name, password, age) VALUES ('bob', '§', 3)"),
    ("sql rows", "insert into \"users\" (\"password\", \"name\") values ('a', 'b'), ('§', 'c')"),
    (
        "sql parameters",
        "[SQL: INSERT INTO users (name, password) VALUES (?, ?)]\n[parameters: ('bob', '§')]",
    ),
    (
        "sql many parameters",
        "[SQL: INSERT INTO users (name, password) VALUES (%s, %s)]\n\
         [parameters: [('bob', 'x'), ('ann', '§')]]",
    ),
    (
        "sql parameters of an update",
        "[SQL: UPDATE users SET password=? WHERE id=?]\n[parameters: ('§', 3)]",
    ),
    (
        "sql parameters of a condition",
        "[SQL: SELECT id FROM users WHERE name = %s AND users.password = %s]\n[parameters: ('bob', '§')]",
    ),
    (
        "sql named parameters",
        "[SQL: UPDATE users SET password=%(password)s WHERE id=%(id)s]\n\
         [parameters: {'password': '§', 'id': 3}]",
    ),
    (
        "sql parameters by other names",
        "[SQL: UPDATE users SET name=:a, \"password\"=:b]\n[parameters: {'a': 'bob', 'b': '§'}]",
    ),
    (
        "sql inserted parameters by other names",
        "[SQL: INSERT INTO users (name, password) VALUES (%(p1)s, %(p2)s)]\n\
         [parameters: [{'p1': 'x', 'p2': 'y'}, {'p1': 'ann', 'p2': '§'}]]",
    ),
    (
        "sql numbered parameters",
        "[SQL: UPDATE users SET password=$2::VARCHAR WHERE id=$1::INTEGER]\n[parameters: (3, '§')]",
    ),
    (
        "sql many updates",
        "[SQL: UPDATE users SET password=? WHERE id=?]\n[parameters: [('a', 3)  \
         ... displaying 2 of 100 total bound parameter sets ...  ('§', 4)]]",
    ),
    (
        "sql many rows in one",
        "[SQL: INSERT INTO users (name, password) VALUES (?, ?), (?, ?)]\n\
         [parameters: ('bob', 'x', 'ann', '§')]",
    ),
    ("sql one parameter", "[SQL: DELETE FROM tokens WHERE token = ?]\n[parameters: ('§',)]"),
    (
        "sql of Django",
        "(0.001) UPDATE \"users\" SET \"password\" = %s WHERE \"id\" = %s; args=('§', 3); alias=default",
    ),
    (
        "sql parameter of a word",
        "[SQL: ALTER USER bob PASSWORD %s VALID UNTIL %s]\n[parameters: ('§', 'x')]",
    ),
    ("sql escape string", "ALTER USER bob PASSWORD E'§'"),
    ("sql dollars", "ALTER USER bob PASSWORD $$§$$"),
    ("sql dollars with a tag", "ALTER USER bob PASSWORD $pw$§$pw$ VALID UNTIL 'x'"),
    ("sql alias", "SELECT '§' AS password"),
    ("sql alias in quotes", "select id, '§' as \"user_token\" from users"),
    ("sql procedure", "EXEC sp_addlogin 'bob', '§', 'master'"),
    ("sql procedure of SQL Server", "sp_password N'old', N'§'"),
    ("redis auth", "redis.exceptions.ResponseError: Command # 1 (AUTH §) of pipeline caused error"),
    ("redis auth of a user", "127.0.0.1:6379> AUTH bob §"),
    ("redis requirepass", "CONFIG SET requirepass §"),
    ("redis masterauth", "port 6379\nmasterauth \"§\""),
    ("smtp auth", "send: 'AUTH PLAIN §'"),
    ("sql crypt", "INSERT INTO t VALUES (crypt('§', gen_salt('bf')))"),
    ("postgres detail", "DETAIL:  Key (api_key)=(§) already exists."),
    ("query", "/login?user=bob&password=§&next=/"),
    ("json", r#"{"user": "bob", "password": "§"}"#),
    ("json compact", r#"{"password":"§","user":"bob"}"#),
    ("json lines", "{\n  \"user\": \"bob\",\n  \"password\":\n    \"§\"\n}"),
    ("json name and value", r#"{"name": "password", "type": "text", "value": "§"}"#),
    ("json value first", r#"{"value": "§", "secret": false, "key": "API_TOKEN"}"#),
    ("json patch", r#"[{"op": "replace", "path": "/password", "value": "§"}]"#),
    ("har header", r#"{"name": "Authorization", "value": "§"}"#),
    ("python dict", "{'user': 'bob', 'password': '§'}"),
    ("python lines", "{'user': 'bob',\n 'password':\n     '§',\n 'x': 1}"),
    ("yaml next line", "db:\n  password:\n    §\n  port: 5432"),
    ("yaml literal", "password: |\n  §\nport: 5432"),
    ("yaml folded", "password: >-\n  §\nport: 5432"),
    ("yaml tag", "password: !vault |\n  §\nport: 5432"),
    ("yaml tag in the line", "password: !!str §\nport: 5432"),
    ("yaml anchor", "password: &a §\nport: 5432"),
    ("yaml anchor and tag", "password: &a !!str '§'"),
    ("yaml key with a question mark", "? password\n: §\n? port\n: 5432"),
    ("sentence", "the password is '§'"),
    ("sentence with more words", "api_key was set to \"§\" before"),
    ("yaml list", "tokens: 1\nsecrets:\n  - §\n  - x\nport: 5432"),
    ("yaml list at the margin", "secrets:\n- §\nport: 5432"),
    ("yaml mapping", "credentials:\n  user: bob\n  key: §\nport: 5432"),
    ("yaml environment", "env:\n  - name: DB_PASSWORD\n    value: §\n  - name: X\n    value: y"),
    (
        "pydantic",
        "1 validation error for Login\npassword\n  Too short [type=short, input_value='§', input_type=str]",
    ),
    ("pydantic list", "[{'type': 'short', 'loc': ('body', 'password'), 'msg': 'x', 'input': '§'}]"),
    ("signature", "X-Amz-Date=1&X-Amz-Signature=9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"),
    ("dockerfile", "FROM x\nENV API_TOKEN §\nRUN y"),
    ("aws configure", "aws configure set aws_secret_access_key § --profile x"),
    ("netrc", "machine example.com login bob password §"),
    ("sql of SQL Server", "ALTER LOGIN app WITH PASSWORD = N'§'"),
    ("setting with a colon", r#"{"ConnectionStrings:Default": "§", "x": 1}"#),
    ("httpie", "http -a bob:§ GET https://example.com"),
    ("openssl", "openssl enc -aes-256-cbc -k § -in x -out y"),
    ("option", "mysqldump --user bob --password § shop"),
    ("option quoted", "deploy --api-token '§' --dry-run"),
    ("option in a sentence", "running mysql --password § failed with code 1"),
    ("option of java", "keytool -list -storepass § -keystore x.jks"),
    ("option in a list", "['mysql', '--password', '§', 'shop']"),
    ("option in a json list", r#"["vault", "-token", "§"]"#),
    ("curl", "curl -u bob:§ https://example.com/x"),
    ("curl joined", "curl -sS -ubob:§ https://example.com/x"),
    ("curl letters", "curl -sSLu bob:§ https://example.com/x"),
    ("curl long", "/usr/bin/curl --user 'bob:§' -X POST https://example.com"),
    ("curl list", "['curl', '-s', '-u', 'bob:§', 'https://example.com']"),
    ("mysql", "mysql -u root -p§ shop"),
    ("mysql quoted", "mysql -u root -p'§' shop"),
    ("mysql quoted twice", "mysql -u root -p\"§\" shop"),
    ("mysql of Windows", r#""C:\Program Files\MySQL\mysql.exe" -u root -p§ shop"#),
    ("ldap joined", "ldapsearch -x -w'§' -b dc=x"),
    ("curl quoted apart", "curl -u 'bob':'§' https://example.com"),
    ("curl of Windows", "curl.exe -u bob:§ https://example.com"),
    ("curl over lines", "curl -X POST \\\n  -u bob:§ https://example.com"),
    ("mongosh", "mongosh -u bob -p§ shop"),
    ("lftp", "lftp -u bob,§ sftp://example.com"),
    ("sqlplus", "sqlplus -s bob/§@db @run.sql"),
    ("sqlplus without a database", "sqlplus bob/§"),
    ("sqlldr", "sqlldr userid=bob/§@db control=x.ctl"),
    ("oracle", "jdbc:oracle:thin:bob/§@db:1521:shop"),
    ("unzip", "unzip -P § x.zip"),
    ("zip", "zip -r -P § x.zip folder"),
    ("zip list", "Command '['zip', '-P', '§', 'x.zip']' returned non-zero exit status 1."),
    ("rar", "rar a -p§ x.rar folder"),
    ("htpasswd", "htpasswd -b .htpasswd bob §"),
    ("htpasswd to the screen", "htpasswd -nbB bob §"),
    ("twine", "twine upload -u bob -p § dist/*"),
    ("npm", "npm config set //registry.npmjs.org/:_authToken §"),
    ("token of a forge", "git clone https://§@github.com/ann/shop.git"),
    ("oauth code", "GET /callback?code=§&state=abc"),
    ("oauth code behind others", "https://example.com/oauth/done?state=abc&code=§"),
    ("mysql list", "Command '['mysqldump', '-u', 'root', '-p§', 'shop']' returned 1"),
    ("sshpass", "sshpass -p § ssh bob@host"),
    ("redis-cli", "redis-cli -h cache -a § ping"),
    ("docker", "docker login -u bob -p § registry.example.com"),
    ("ldap", "ldapsearch -x -D cn=bob -w § -b dc=x"),
    ("basic auth", "requests.get(url, HTTPBasicAuth('bob', '§'))"),
    ("digest auth", "HTTPDigestAuth(\"bob\", \"§\")"),
    ("auth by name", "BasicAuth(login='bob', password='§', encoding='latin1')"),
    ("credentials", "PlainCredentials('bob', '§')"),
    ("token auth", "TokenAuth('§')"),
    ("login", "smtp.login('bob@example.com', '§')"),
    ("set_password", "user.set_password('§')"),
    ("jwt", "jwt.encode({'sub': 1}, '§', algorithm='HS256')"),
    ("telegram", "https://api.telegram.org/bot123456789:ABCdefGhIJKlmNoPQRHarbour_PoMJNb-7/getMe"),
    ("oauth basic", "https://§:x-oauth-basic@github.com/ann/shop.git"),
    ("stripeKey", "{'stripeKey': '§'}"),
    ("vendor's key", "Config(sendgrid_key='§', region='eu')"),
    ("connection_string", "connection_string='§'"),
    ("ConnectionStrings", r#"{"ConnectionStrings": {"Default": "§"}}"#),
    ("pw", "connect(user='bob', pw='§')"),
    ("digest", "Authorization: Digest username=\"bob\", realm=\"x\", response=\"§\""),
    ("constructor", "User(name='bob', password='§')"),
    ("header", "X-Api-Key: §"),
    ("netloc", "ParseResult(scheme='http', netloc='bob:§@db:80', path='/x')"),
    ("netloc of bytes", "{'netloc': b'bob:§@db'}"),
    ("list of two", "['password', '§']"),
    ("list of two in a text", r#"wrong field ["token", "§"] in line 3"#),
    ("tuple of two", "('token', '§')"),
    ("setattr", "setattr(user, 'password', '§')"),
    ("configparser", "config.set('db', 'password', '§')"),
    ("url", "postgres://bob:§@db/shop"),
];

fn backslashed(text: &str) -> String {
    text.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n").replace('\t', r"\t")
}

fn percent(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'.' => {
            char::from(byte).to_string()
        }
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#x27;")
        .replace('=', "&#61;")
}

fn unicode(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '"' | '\'' | '<' | '>' | '&' | '=' => out += &format!("\\u{:04x}", u32::from(c)),
            '\n' => out += r"\n",
            '\t' => out += r"\t",
            '\\' => out += r"\\",
            c => out.push(c),
        }
    }
    out
}

fn hexadecimal(text: &str) -> String {
    unicode(text).replace(r"\u00", r"\x")
}

/// Puts a text into another one.
type Put = fn(&str) -> String;

/// The wrappings of a text, by name.
const AROUND: &[(&str, Put)] = &[
    ("as it is", str::to_owned),
    ("Python's repr", |text| {
        format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'").replace('\n', r"\n"))
    }),
    ("JSON", |text| format!(r#"{{"body": "{}", "n": 1}}"#, backslashed(text))),
    ("JSON in JSON", |text| {
        let inner = format!(r#"{{"body": "{}", "n": 1}}"#, backslashed(text));
        format!(r#"{{"outer": "{}", "n": 1}}"#, backslashed(&inner))
    }),
    ("JSON in JSON in JSON in JSON", |text| {
        let mut text = text.to_owned();
        for _ in 0..4 {
            text = format!(r#"{{"body": "{}"}}"#, backslashed(&text));
        }
        text
    }),
    ("percent encoding", |text| format!("/x?data={}&y=1", percent(text))),
    ("percent encoding twice", |text| format!("/x?data={}&y=1", percent(&percent(text)))),
    ("HTML", |text| format!("<pre>{}</pre>", html(text))),
    ("HTML in HTML", |text| format!("<pre>{}</pre>", html(&html(text)))),
    ("unicode escapes", |text| format!(r#"{{"body": "{}", "n": 1}}"#, unicode(text))),
    ("hexadecimal escapes", |text| format!("var x = '{}';", hexadecimal(text))),
    ("HTML in JSON", |text| format!(r#"{{"page": "{}"}}"#, backslashed(&html(text)))),
    ("JSON in a query", |text| {
        format!("/x?data={}", percent(&format!(r#"{{"body": "{}"}}"#, backslashed(text))))
    }),
];

#[test]
fn secret_vanishes_however_it_is_written_or_embedded() {
    let redactor = redactor();
    let mut wrong = Vec::new();
    for (kind, template) in KINDS {
        for (around, put) in AROUND {
            let text = put(&template.replace('§', WORD));
            let redacted = redactor.redact(&text);
            // Only the part that no embedding escapes.
            if redacted.contains("Harbour_PoMJNb") {
                wrong.push(format!("{kind} in {around}: {text}\n    -> {redacted}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}
