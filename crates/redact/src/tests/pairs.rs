//! Values next to names of secrets.

use super::redactor;
use crate::SCRUBBED;

/// Before and after; `§` stands for the mark.
const PAIRS: &[(&str, &str)] = &[
    ("User(name='ann', password='hunter2', age=3)", "User(name='ann', password=§, age=3)"),
    ("{'password': 'hunter2', 'x': 1}", "{'password': §, 'x': 1}"),
    (r#"{"password": "hun\"ter2", "x": 1}"#, r#"{"password": §, "x": 1}"#),
    (r#"{"password":"hunter2","x":1}"#, r#"{"password":§,"x":1}"#),
    (r#"'{\"password\": \"hunter2\", \"x\": 1}'"#, r#"'{\"password\": §, \"x\": 1}'"#),
    (r#"'{\"x\": 1, \"password\": \"hunter2'"#, r#"'{\"x\": 1, \"password\": §"#),
    ("password=hunter2&next=/", "password=§&next=/"),
    ("/login?user=ann&password=hun,ter2;x&next=/", "/login?user=ann&password=§&next=/"),
    ("user%5Bpassword%5D=hunter2&x=1", "user%5Bpassword%5D=§&x=1"),
    ("user[password]=hunter2&x=1", "user[password]=§&x=1"),
    ("card[number]=1234&x=1", "card[number]=§&x=1"),
    ("form['password'] = 'hunter2'", "form['password'] = §"),
    ("Authorization: Bearer abc.def", "Authorization: §"),
    ("Host: x\r\nCookie: a=b; c=d\r\nAccept: y", "Host: x\r\nCookie: §\r\nAccept: y"),
    (r"'Host: x\r\nCookie: a=b; c=d\r\nAccept: y'", r"'Host: x\r\nCookie: §\r\nAccept: y'"),
    ("['Cookie: a=b; c=d', 'Host: x']", "['Cookie: §', 'Host: x']"),
    ("[(b'authorization', b'Bearer x'), (b'a', b'b')]", "[(b'authorization', §), (b'a', b'b')]"),
    ("('Cookie', 'a=b')", "('Cookie', §)"),
    (r#"[["cookie", "a=b"], ["host", "x"]]"#, r#"[["cookie", §], ["host", "x"]]"#),
    ("['mysql', '--password', 'hunter2', 'db']", "['mysql', '--password', §, 'db']"),
    ("mysql --password=hunter2 db", "mysql --password=§ db"),
    ("{'cookies': {'a': 'b}', 'c': ['d']}, 'x': 1}", "{'cookies': §, 'x': 1}"),
    ("{'tokens': 1, 'secrets': ['a', 'b'], 'x': 1}", "{'tokens': 1, 'secrets': §, 'x': 1}"),
    ("auth=('ann', 'hunter2'), timeout=3", "auth=§, timeout=3"),
    ("session=<Session {'a': 'b>'}>, x=1", "session=§, x=1"),
    ("token=Token(value='abc', x=[1]), y=2", "token=§, y=2"),
    ("api_key=SecretStr('abc'), y=2", "api_key=§, y=2"),
    ("{'password': 'hunter", "{'password': §"),
    ("{'password': ['a', 'b", "{'password': §"),
    ("{'pin': 1234, 'x': 1}", "{'pin': §, 'x': 1}"),
    (
        "Server=db;User Id=sa;Password=hunter2;Timeout=3",
        "Server=db;User Id=sa;Password=§;Timeout=3",
    ),
    ("DRIVER=x;UID=sa;PWD=hunter2", "DRIVER=x;UID=sa;PWD=§"),
    ("host=db user=ann password=hunter2 dbname=x", "host=db user=ann password=§ dbname=x"),
    ("wrong password: hunter2", "wrong password: §"),
    ("password: hunter2 is invalid", "password: § is invalid"),
    ("password: secret is wrong", "password: § is wrong"),
    ("password: the hunter2", "password: § hunter2"),
    ("password: may user: bob", "password: § user: bob"),
    ("{'token': ['hunter2', 'expired']}", "{'token': §}"),
    ("deploy --password HUNTER --api-key 'K' --now", "deploy --password § --api-key § --now"),
    ("API key: abc1234", "API key: §"),
    ("assert password == 'hunter2'", "assert password == §"),
    (":password => 'hunter2'", ":password => §"),
    ("<user>ann</user><password>hun ter2</password>", "<user>ann</user><password>§</password>"),
    ("authorization=Bearer abc, x=1", "authorization=§, x=1"),
    ("password=b'hun\\'ter2', x=1", "password=§, x=1"),
    ("password=pässwörd x", "password=§ x"),
    ("ü='ß' password='ß' ü", "ü='ß' password=§ ü"),
    (r"first\npassword=hunter2\nnext", r"first\npassword=§\nnext"),
    ("self.db_password='x', self.name='y'", "self.db_password=§, self.name='y'"),
    ("password='x y\\\\', z='w'", "password=§, z='w'"),
    ("token='a', password='b', cookie='c'", "token=§, password=§, cookie=§"),
    ("environ({'PWD': '/srv', 'SECRET_KEY': 'abc'})", "environ({'PWD': '/srv', 'SECRET_KEY': §})"),
    ("password='it''s', x=1", "password=§, x=1"),
    ("{'password': '''a b''', 'x': 1}", "{'password': §, 'x': 1}"),
    ("def f(token: str = 'x', y=1)", "def f(token: §, y=1)"),
    (
        "{'name': 'password', 'value': 'hunter2', 'x': 1}",
        "{'name': 'password', 'value': §, 'x': 1}",
    ),
    ("<input name=\"token\" value=\"abc\">", "<input name=\"token\" value=§>"),
    (
        "form-data; name=\"password\"\r\n\r\nhunter2\r\n--end",
        "form-data; name=\"password\"\r\n\r\n§\r\n--end",
    ),
    (
        r#"b'form-data; name="password"\r\n\r\nhunter2\r\n--end'"#,
        r#"b'form-data; name="password"\r\n\r\n§\r\n--end'"#,
    ),
];

/// Texts that stay as they are.
const KEPT: &[&str] = &[
    "password=None, token='', secret=\"\", cookies={}",
    "password=&next=/",
    "login(password=)",
    "('token', 'b', 'c')",
    "fields = ['password', 'email']",
    "Unexpected token: }",
    "max_tokens=100, token_count=3, tokenizer='x'",
    "KeyError: 'password'",
    "the password is required",
    "{'PWD': '/home/ann', 'x': 1}",
    "author='ann', compass='north'",
    "password",
    "password=",
    "'password':",
];

#[test]
fn value_beside_a_secret_name_is_all_that_is_replaced() {
    let redactor = redactor();
    for (before, after) in PAIRS {
        assert_eq!(redactor.redact(before), after.replace('§', SCRUBBED), "{before}");
    }
}

#[test]
fn missing_values_and_harmless_names_stay_readable() {
    let redactor = redactor();
    for text in KEPT {
        assert_eq!(redactor.redact(text), *text);
    }
}

/// Lines of code; `§` stands for the mark in those that change.
const CODE: &[(&str, &str)] = &[
    ("password = form['password']  # token=abc", "password = form['password']  # token=abc"),
    ("login(user, password=password, token=self.token2)", ""),
    ("token = 'access_token'", ""),
    ("check('new_password1', 'new_password2'), ('auth', '0001_initial')", ""),
    ("if token == '#bygroup': pass", ""),
    ("api_key = '48205d4ffd7feba3'", "api_key = §"),
    ("cookies = {'sessionid': session_id}", ""),
    ("password = input('Password: ')", ""),
    ("api_key = os.environ['API_KEY_2']", ""),
    ("url = f'/login?token={token}&password={password}'", ""),
    ("secrets = ['db', 'mail']  # the password2 of both", ""),
    ("key_path, token_file = '/etc/ssl/key2.pem', './token3.txt'", ""),
    ("SESSION_COOKIE = 'https://example.com/x2'", ""),
    ("api_key = 'Harbour7pq'", "api_key = §"),
    ("connect(password=\"Harbour_PoMJNb!\", port=5432)", "connect(password=§, port=5432)"),
    (
        r#"work("{\"password\": \"Harbour7pq\", \"n\": 1}")"#,
        r#"work("{\"password\": §, \"n\": 1}")"#,
    ),
    ("get('/x?token=Harbour7pq&y=1')", "get('/x?token=§&y=1')"),
    ("x = '<password a=\"b\">Harbour7pq</password>'", "x = '<password a=\"b\">§</password>'"),
    ("os.system('deploy --token Harbour7pq --now')", "os.system('deploy --token § --now')"),
    ("{'stripeKey': b'Harbour7pq'}", "{'stripeKey': §}"),
];

#[test]
fn source_line_loses_its_literals_and_no_words() {
    let redactor = redactor();
    for (before, after) in CODE {
        let after = if after.is_empty() { before } else { after };
        assert_eq!(redactor.redact_values(before), after.replace('§', SCRUBBED), "{before}");
    }
}
