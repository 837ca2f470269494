/** What an editor and visitors do with a WordPress, page by page. */

import type { Page, WordpressSite } from './site.ts';

export interface Visited {
  readonly step: string;
  readonly page: Page;
}

const PASSWORD = 'tajné heslo 😀';
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

export class Visit {
  readonly #site: WordpressSite;
  readonly #seen: Visited[] = [];
  #nonce = '';

  constructor(site: WordpressSite) {
    this.#site = site;
  }

  /** Every page in order. */
  async run(): Promise<readonly Visited[]> {
    await this.#install();
    await this.#logIn();
    await this.#write();
    await this.#read();
    await this.#administer();
    return this.#seen;
  }

  async #get(path: string): Promise<Page> {
    return this.#keep(`GET ${path}`, await this.#site.page({ path }));
  }

  async #post(path: string, form: Record<string, string>): Promise<Page> {
    return this.#keep(`POST ${path}`, await this.#site.page({ path, form }));
  }

  /** The REST interface, as the editor in the browser uses it. */
  async #api(method: string, path: string, json?: unknown): Promise<Page> {
    const sent = { path: `/index.php?rest_route=${path}`, method, json };
    const page = await this.#site.page({ ...sent, headers: { 'x-wp-nonce': this.#nonce } });
    return this.#keep(`${method} ${path}`, page);
  }

  #keep(step: string, page: Page): Page {
    this.#seen.push({ step, page });
    return page;
  }

  async #install(): Promise<void> {
    await this.#get('/');
    await this.#get('/wp-admin/install.php?step=1');
    await this.#post('/wp-admin/install.php?step=2', {
      weblog_title: 'Knihkupectví & “spol.” 😀',
      user_name: 'editor',
      admin_password: PASSWORD,
      admin_password2: PASSWORD,
      pw_weak: '1',
      admin_email: 'editor@example.org',
      blog_public: '0',
    });
    await this.#get('/');
  }

  async #logIn(): Promise<void> {
    await this.#get('/wp-login.php');
    const form = { log: 'editor', pwd: 'wrong', 'wp-submit': 'Log In', testcookie: '1' };
    await this.#post('/wp-login.php', form);
    await this.#post('/wp-login.php', { ...form, pwd: PASSWORD });
    const { body } = await this.#get('/wp-admin/post-new.php');
    this.#nonce = /createNonceMiddleware\(\s*"([0-9a-f]+)"/.exec(body)?.[1] ?? '';
  }

  async #write(): Promise<void> {
    for (const name of ['Próza', 'Drama']) await this.#api('POST', '/wp/v2/categories', { name });
    await this.#api('POST', '/wp/v2/tags', { name: 'robot 🤖', slug: 'robot' });
    for (let n = 1; n <= 12; n++) {
      await this.#api('POST', '/wp/v2/posts', {
        title: `Book ${n} – kniha 😀`,
        content: `<p>Text ${n} with 'quotes', \\ and ${'long words '.repeat(n * 10)}.</p><!--more--><p>Rest</p>`,
        date: `2024-0${1 + (n % 9)}-15T12:00:00`,
        status: n === 12 ? 'draft' : 'publish',
        categories: [2 + (n % 2)],
        tags: n % 3 === 0 ? [4] : [],
        sticky: n === 4,
      });
    }
    await this.#api('POST', '/wp/v2/posts/5', { title: 'Book 5, second edition', content: 'changed' });
    await this.#api('POST', '/wp/v2/posts/6', { content: 'changed once more' });
    await this.#api('DELETE', '/wp/v2/posts/7');
    await this.#api('POST', '/wp/v2/pages', {
      title: 'About',
      content: 'Who we are',
      status: 'publish',
      date: '2024-01-01T00:00:00',
    });
    await this.#api('POST', '/wp/v2/users', {
      username: 'author',
      email: 'a@example.org',
      password: 'x y z',
      roles: ['author'],
    });
    await this.#api('POST', '/wp/v2/users/2', { description: 'Píše knihy.', meta: {} });
    await this.#api('POST', '/wp/v2/settings', {
      description: 'Books – knihy',
      posts_per_page: 4,
      date_format: 'Y-m-d',
    });
    await this.#post('/wp-comments-post.php', {
      comment: 'First! <b>bold</b> 😀',
      comment_post_ID: '8',
      comment_parent: '0',
    });
    await this.#api('POST', '/wp/v2/comments', {
      post: 8,
      content: 'Second',
      parent: 2,
      date: '2024-05-05T05:05:05',
    });
    await this.#upload();
  }

  async #upload(): Promise<void> {
    const headers = { 'x-wp-nonce': this.#nonce, 'content-disposition': 'attachment; filename="pixel.png"' };
    const file = Buffer.from(PIXEL, 'base64');
    const path = '/index.php?rest_route=/wp/v2/media';
    this.#keep('upload', await this.#site.page({ path, file, headers }));
    await this.#api('POST', '/wp/v2/media/21', { alt_text: 'jeden bod', caption: 'Pixel' });
  }

  async #read(): Promise<void> {
    const paths = [
      '/',
      '/?paged=2',
      '/?p=8',
      '/?p=15',
      '/?page_id=2',
      '/?cat=2',
      '/?cat=3&paged=2',
      '/?tag=robot',
      '/?author=1',
      '/?s=kniha',
      '/?s=edition',
      '/?s=nothing+at+all',
      '/?m=202403',
      '/?p=4711',
      '/?feed=rss2',
      '/?feed=comments-rss2',
      '/?feed=atom&cat=2',
      '/wp-login.php?action=lostpassword',
      '/?sitemap=index',
      '/?sitemap=posts&sitemap-subtype=post',
    ];
    for (const path of paths) await this.#get(path);
    for (const path of [
      '/wp/v2/posts&per_page=5&orderby=title&order=asc',
      '/wp/v2/posts&search=Book&page=2&per_page=3',
      '/wp/v2/posts&categories=2&_embed=1',
      '/wp/v2/posts/8/revisions',
      '/wp/v2/posts/5/revisions',
      '/wp/v2/comments&post=8',
      '/wp/v2/users&context=edit',
      '/wp/v2/taxonomies',
      '/wp/v2/types',
      '/wp/v2/settings',
      '/wp/v2/search&search=book',
      '/wp/v2/statuses',
    ])
      await this.#api('GET', path);
  }

  async #administer(): Promise<void> {
    for (const page of [
      'index.php',
      'edit.php',
      'edit.php?orderby=title&order=asc&s=Book',
      'edit.php?post_status=trash&post_type=post',
      'edit.php?post_type=page',
      'edit-comments.php',
      'users.php',
      'users.php?s=auth',
      'upload.php?mode=list',
      'edit-tags.php?taxonomy=category',
      'options-general.php',
      'options-reading.php',
      'options.php',
      'profile.php',
      'plugins.php',
      'tools.php',
      'export.php?download=true&content=all',
      'term.php?taxonomy=category&tag_ID=2',
      'post.php?post=8&action=edit',
      'user-edit.php?user_id=2',
    ])
      await this.#get(`/wp-admin/${page}`);
    await this.#api('DELETE', '/wp/v2/users/2&force=true&reassign=1');
    await this.#api('DELETE', '/wp/v2/categories/2&force=true');
    await this.#get('/?cat=2');
    await this.#get('/wp-login.php?action=logout');
  }
}
