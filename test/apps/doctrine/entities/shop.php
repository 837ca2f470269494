<?php

use Doctrine\Common\Collections\ArrayCollection;
use Doctrine\Common\Collections\Collection;
use Doctrine\ORM\Mapping as ORM;

#[ORM\Entity, ORM\Table(name: 'author')]
class Author
{
    #[ORM\Id, ORM\GeneratedValue, ORM\Column]
    public int $id;
    #[ORM\Column(length: 100, unique: true)]
    public string $name;
    #[ORM\Column(type: 'date_immutable', nullable: true)]
    public ?DateTimeImmutable $born = null;
    #[ORM\OneToMany(mappedBy: 'author', targetEntity: Book::class, cascade: ['persist', 'remove'], orphanRemoval: true)]
    #[ORM\OrderBy(['id' => 'ASC'])]
    public Collection $books;

    public function __construct(string $name)
    {
        $this->name = $name;
        $this->books = new ArrayCollection();
    }
}

#[ORM\Entity, ORM\Table(name: 'book'), ORM\Index(columns: ['title', 'price'])]
class Book
{
    #[ORM\Id, ORM\GeneratedValue, ORM\Column(type: 'bigint')]
    public string $id;
    #[ORM\Column(length: 190)]
    public string $title;
    #[ORM\Column(type: 'decimal', precision: 12, scale: 4)]
    public string $price;
    #[ORM\Version, ORM\Column(type: 'integer')]
    public int $version;
    #[ORM\ManyToOne(inversedBy: 'books')]
    #[ORM\JoinColumn(nullable: false, onDelete: 'CASCADE')]
    public Author $author;
    #[ORM\ManyToMany(targetEntity: Tag::class, inversedBy: 'books')]
    #[ORM\InverseJoinColumn(referencedColumnName: 'slug'), ORM\OrderBy(['slug' => 'ASC'])]
    public Collection $tags;

    public function __construct(Author $author, string $title, string $price)
    {
        [$this->author, $this->title, $this->price] = [$author, $title, $price];
        $this->tags = new ArrayCollection();
        $author->books->add($this);
    }
}

#[ORM\Entity, ORM\Table(name: 'tag')]
class Tag
{
    #[ORM\Id, ORM\Column(length: 40)]
    public string $slug;
    #[ORM\Column]
    public int $uses;
    #[ORM\ManyToMany(targetEntity: Book::class, mappedBy: 'tags')]
    public Collection $books;

    public function __construct(string $slug, int $uses = 1)
    {
        [$this->slug, $this->uses] = [$slug, $uses];
        $this->books = new ArrayCollection();
    }
}

#[ORM\Entity, ORM\Table(name: 'specimen')]
class Specimen
{
    #[ORM\Id, ORM\Column(type: 'guid')]
    public string $id;
    #[ORM\Column(type: 'json', nullable: true)]
    public ?array $json;
    #[ORM\Column(type: 'datetimetz_immutable')]
    public DateTimeImmutable $at;
    #[ORM\Column(type: 'time_immutable')]
    public DateTimeImmutable $clock;
    #[ORM\Column(type: 'decimal', precision: 30, scale: 10)]
    public string $amount;
    #[ORM\Column(type: 'float')]
    public float $number;
    #[ORM\Column]
    public bool $flag;
    #[ORM\Column(type: 'blob')]
    public $data;
    #[ORM\Column(type: 'text')]
    public string $text;
    #[ORM\Column(type: 'simple_array')]
    public array $list;
}
